import * as fc from 'fast-check'
import { brokenBytes, hostileString, mutatedJson } from './hostile-values.ts'
import { arbitraryOf, type Schema } from './schema-arbitrary.ts'

/** One HTTP request. */
export interface FuzzRequest {
  method: string
  /** With its query. */
  path: string
  headers: Record<string, string>
  body: string | Buffer | undefined
}

interface Operation {
  requestBody?: { content?: Record<string, { schema?: Schema }> }
  parameters?: { in: string; name: string; schema?: Schema }[]
}

/** The parts of an OpenAPI document that requests are made of. */
export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema> }
}

/** These reach out of the machine or change the installation. */
const leftOut = /check_for_updates|update_server/

/** Values that exist, by the name of the field. */
const names: Readonly<Record<string, readonly unknown[]>> = {
  model: ['scripted', 'auto', 'auto:cost', 'auto:quality', 'local', 'openai-compatible/scripted', 'nothing'],
  models: ['scripted', 'auto', 'nothing'],
  model_id: ['nothing', 'openai-compatible/nothing'],
  role: ['user', 'assistant', 'system', 'tool', 'developer'],
  type: [
    'text',
    'image_url',
    'function',
    'tool_use',
    'tool_result',
    'message',
    'input_text',
    'json_schema',
    'json_object',
  ],
  task_id: ['task_none'],
  job_id: ['job_none'],
  directories: ['/nowhere'],
  period: ['today', 'week', 'month', 'all'],
}

/** Requests to every route of the document: valid ones, ones with hostile values inside, and bytes that are no JSON. */
export function httpRequests(document: ApiDocument): fc.Arbitrary<FuzzRequest> {
  const components = document.components?.schemas ?? {}
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    leftOut.test(path)
      ? []
      : Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  return fc.oneof(
    ...routes.map(({ path, method, operation }) => {
      const schema = operation.requestBody?.content?.['application/json']?.schema
      const value = schema === undefined ? fc.constant({}) : arbitraryOf(schema, components, names)
      const valid = value.map(each => JSON.stringify(each))
      const body = fc.oneof(
        { weight: 3, arbitrary: valid },
        { weight: 5, arbitrary: mutatedJson(value) },
        { weight: 1, arbitrary: brokenBytes(valid) },
        { weight: 1, arbitrary: fc.jsonValue().map(each => JSON.stringify(each)) },
      )
      return fc.record({
        method: fc.oneof(
          { weight: 30, arbitrary: fc.constant(method) },
          { weight: 1, arbitrary: fc.constantFrom('PUT', 'PATCH', 'GET', 'POST', 'DELETE') },
        ),
        path: pathOf(path, operation),
        headers,
        body: schema === undefined ? fc.option(body, { nil: undefined, freq: 20 }) : body,
      })
    }),
  )
}

const parameter = fc.oneof(fc.string({ maxLength: 20 }), hostileString, fc.nat().map(String))

function pathOf(path: string, { parameters = [] }: Operation): fc.Arbitrary<string> {
  const inPath = path.match(/\{[^}]+\}/g) ?? []
  const inQuery = parameters.filter(each => each.in === 'query').map(({ name }) => name)
  return fc
    .tuple(
      fc.array(parameter, { minLength: inPath.length, maxLength: inPath.length }),
      fc.array(fc.tuple(fc.constantFrom('x', ...inQuery), parameter), { maxLength: 3 }),
    )
    .map(([values, query]) => {
      const filled = values.reduce((rest, value) => rest.replace(/\{[^}]+\}/, () => encode(value) || '-'), path)
      const fields = query.map(([name, value]) => `${name}=${encode(value)}`)
      return fields.length === 0 ? filled : `${filled}?${fields.join('&')}`
    })
}

/** Long ones would be refused for their length alone. */
function encode(value: string): string {
  return encodeURIComponent(value.toWellFormed().slice(0, 400))
}

const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ 'content-type': 'application/json' }) },
  {
    weight: 2,
    arbitrary: fc.dictionary(
      fc.constantFrom(
        'content-type',
        'content-encoding',
        'accept',
        'authorization',
        'x-request-id',
        'x-signalbox-verify',
        'x-signalbox-local-only',
        'x-signalbox-max-cost',
        'x-signalbox-tags',
        'anthropic-version',
        'anthropic-beta',
        'range',
        'if-none-match',
      ),
      fc.oneof(
        fc.constantFrom(
          '',
          'text/plain',
          'gzip',
          'br',
          'application/json; charset=utf-16',
          'all',
          'judge:none',
          'true',
          '-1',
          '1e308',
          '*/*',
          'x'.repeat(2_000),
        ),
        fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019 ,;=/"')), maxLength: 20 }),
      ),
      { maxKeys: 3 },
    ),
  },
)
