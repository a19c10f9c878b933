import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { inProcessClient } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import { registerOperations } from '../../src/operations/routes.ts'
import { inferenceRoutes } from '../../src/proxy/openapi/inference.ts'
import { registerApiReference } from '../../src/proxy/openapi/routes.ts'
import { registerMetricsRoute } from '../../src/proxy/metrics.ts'
import { createServer } from '../../src/proxy/server.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

interface Described {
  operationId: string
  tags: string[]
  parameters?: { name: string; in: string }[]
  responses: Record<string, unknown>
}

interface Document extends Record<string, unknown> {
  openapi: string
  paths: Record<string, Record<string, Described>>
}

t.test('the document is valid OpenAPI 3.1 and every operation id is there once', async t => {
  const { document } = await setUp(t)
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) })
  t.ok(valid, JSON.stringify(errors))
  t.match(document.openapi, /^3\.1\./)
  const ids = Object.values(document.paths).flatMap(path => Object.values(path).map(({ operationId }) => operationId))
  t.strictSame(ids.length, new Set(ids).size)
})

t.test('every HTTP route is in the document, and the document holds no other', async t => {
  const { gateway, document } = await setUp(t)
  const app = createServer(gateway.core)
  t.teardown(() => app.close())
  const client = inProcessClient(operations, gateway.core, () => undefined)
  registerOperations(app, { operations, client, authorize: () => ({ name: 'test' }) })
  registerApiReference(app, { version: '0', operations })
  const metrics = createMetrics(gateway.core)
  t.teardown(metrics.close)
  registerMetricsRoute(app, metrics)
  await app.ready()

  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
  )
  const served = [...app.routeTable.entries()].flatMap(([pattern, methods]) => {
    const path = pattern.replaceAll(/:(\w+)/g, '{$1}').replace('/models/*', '/models/{id}')
    return [...methods].flatMap(method =>
      // Gemini's methods are the end of a path that its route reads itself.
      method === 'POST' && path === '/v1beta/models/{id}'
        ? geminiMethods.map(each => `POST ${path}:${each}`)
        : [`${method} ${path}`],
    )
  })
  // Left out: the page itself. Clients that add or drop /v1 reach the same routes without it and with it twice.
  const undocumented = served.filter(route => !documented.some(each => sameRoute(each, route)))
  t.strictSame(undocumented, ['POST /admin/{name}', 'GET /docs', 'GET /docs/*'])
  for (const route of documented) {
    if (route.includes('/admin/')) continue
    t.ok(served.includes(route), `${route} is served`)
  }
  for (const { name } of operations) t.ok(documented.includes(`POST /admin/${name}`), name)
})

const geminiMethods = ['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent', 'batchEmbedContents']

t.test('every request for a model documents Idempotency-Key and x-request-id', async t => {
  const { document } = await setUp(t)
  const routes = Object.entries(document.paths).filter(([, methods]) => methods['post']?.tags.includes('Inference'))
  const named = (name: string) =>
    routes.filter(([, { post }]) => post?.parameters?.some(each => each.name === name)).map(([path]) => path)
  const forModels = routes.map(([path]) => path).filter(path => !/[/:]count_?tokens$/i.test(path))
  t.ok(forModels.length >= 7)
  t.strictSame(named('idempotency-key'), forModels)
  t.strictSame(named('x-request-id'), forModels)
})

t.test('real answers of every inference route keep to the document', async t => {
  const { gateway, document } = await setUp(t)
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ ...document, $id: 'api' })
  const check = (path: string, method: string, status: string, body: unknown) => {
    const pointer = `api#/paths/${escaped(path)}/${method}/responses/${status}/content/application~1json/schema`
    const validate = ajv.compile({ $ref: pointer })
    t.ok(validate(body), `${method} ${path} ${status}: ${ajv.errorsText(validate.errors)}`)
  }
  const chat = { model: 'auto', messages: [{ role: 'user', content: 'Hello?' }] }
  const asked = await exchange(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(chat) })
  const requestId = String(asked.headers['x-signalbox-request-id'])
  const respond = () => gateway.post('/v1/responses', { input: 'Hi' })
  const [stored, kept] = [await respond(), await respond()]

  const question = { contents: [{ role: 'user', parts: [{ text: 'Hello?' }] }] }
  const batchForm = () => {
    const form = new FormData()
    form.append('purpose', 'batch')
    const line = { custom_id: 'one', method: 'POST', url: '/v1/chat/completions', body: chat }
    form.append('file', new Blob([JSON.stringify(line)]), 'a.jsonl')
    return form
  }
  const uploaded = await fetch(`${gateway.url}/v1/files`, { method: 'POST', body: batchForm() })
  const file = (await uploaded.json()) as { id: string }
  const batchAsked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' }
  const batch = await gateway.post('/v1/batches', batchAsked)
  const requests: Record<string, { path?: string; body?: object; form?: FormData }> = {
    create_chat_completion: { body: chat },
    create_message: { body: { ...chat, max_tokens: 10 } },
    count_message_tokens: { body: chat },
    create_response: { body: { input: 'Hello?' } },
    get_response: { path: `/v1/responses/${stored.json.id}` },
    list_response_input_items: { path: `/v1/responses/${kept.json.id}/input_items` },
    cancel_response: { path: `/v1/responses/${kept.json.id}/cancel` },
    compact_response: { body: { input: 'Hello?' } },
    count_response_tokens: { body: { input: 'Hello?' } },
    delete_response: { path: `/v1/responses/${stored.json.id}` },
    create_embeddings: { body: { model: 'llama-cpp/scripted', input: ['a', 'b'] } },
    create_file: { form: batchForm() },
    list_files: {},
    get_file: { path: `/v1/files/${file.id}` },
    get_file_content: { path: `/v1/files/${file.id}/content` },
    create_batch: { body: batchAsked },
    list_batches: {},
    get_batch: { path: `/v1/batches/${batch.json.id}` },
    cancel_batch: { path: `/v1/batches/${batch.json.id}/cancel` },
    delete_file: { path: `/v1/files/${file.id}` },
    create_moderations: { body: { input: 'Hi' } },
    create_audio_speech: { body: { input: 'Hi', voice: 'alloy' } },
    create_audio_transcriptions: { body: {} },
    create_audio_translations: { body: {} },
    create_images_generations: { body: { prompt: 'A cat.' } },
    create_images_edits: { body: {} },
    create_images_variations: { body: {} },
    create_completion: { body: { model: 'llama-cpp/scripted', prompt: 'a' } },
    rerank: { body: { model: 'llama-cpp/scripted', query: 'a', documents: ['b'] } },
    infill: { body: { input_prefix: 'let ', input_suffix: ';' } },
    ollama_chat: { body: { ...chat, stream: false } },
    ollama_generate: { body: { prompt: 'Hello?', stream: false } },
    ollama_embed: { body: { model: 'llama-cpp/scripted', input: ['a', 'b'] } },
    ollama_embeddings: { body: { model: 'llama-cpp/scripted', prompt: 'a' } },
    ollama_list_models: {},
    ollama_loaded_models: {},
    ollama_show_model: { body: { model: 'auto' } },
    ollama_version: {},
    gemini_generate_content: { path: '/v1beta/models/auto:generateContent', body: question },
    gemini_stream_generate_content: { path: '/v1beta/models/auto:streamGenerateContent', body: question },
    gemini_count_tokens: { path: '/v1beta/models/auto:countTokens', body: question },
    gemini_embed_content: {
      path: '/v1beta/models/llama-cpp/scripted:embedContent',
      body: { content: { parts: [{ text: 'a' }] } },
    },
    gemini_batch_embed_contents: {
      path: '/v1beta/models/llama-cpp/scripted:batchEmbedContents',
      body: { requests: [{ content: { parts: [{ text: 'a' }] } }] },
    },
    gemini_list_models: {},
    gemini_get_model: { path: '/v1beta/models/auto' },
    list_models: {},
    get_model: { path: '/v1/models/auto' },
    route: { body: chat },
    get_decision: { path: `/v1/decisions/${requestId}` },
    get_usage: { path: '/v1/usage?period=all' },
    get_organization_usage_completions: { path: '/v1/organization/usage/completions?start_time=1700000000&limit=2' },
    get_organization_usage_embeddings: { path: '/v1/organization/usage/embeddings?start_time=1700000000' },
    get_organization_costs: { path: '/v1/organization/costs?start_time=1700000000' },
    get_key: {},
    get_credits: {},
    get_generation: { path: `/v1/generation?id=${requestId}` },
    get_health: {},
    get_metrics: {},
    get_openapi_document: {},
    get_root: {},
  }
  t.strictSame(Object.keys(requests).sort(), inferenceRoutes.map(({ operationId }) => operationId).sort())
  for (const { operationId, method, path, response } of inferenceRoutes) {
    const { path: actual = path, body, form } = requests[operationId]!
    const reply = await fetch(gateway.url + actual, {
      method: method.toUpperCase(),
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(form !== undefined && { body: form }),
    })
    t.equal(reply.status, 200, `${operationId} answers`)
    if (response !== undefined) check(path, method, '200', await reply.json())
  }
  const refused = await exchange(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{"messages":3}' })
  t.equal(refused.status, 400)
  check('/v1/chat/completions', 'post', 'default', refused.json)
  const unknown = await exchange(`${gateway.url}/v1/messages`, { method: 'POST', body: '{"messages":3}' })
  check('/v1/messages', 'post', 'default', unknown.json)
})

t.test('a known path with another method is 405 and says which are allowed', async t => {
  const { gateway } = await setUp(t)
  for (const [path, allow] of [
    ['/v1/chat/completions', 'POST'],
    ['/v1/responses/resp_1', 'DELETE, GET, HEAD'],
    ['/health?x=1', 'GET, HEAD'],
  ] as const) {
    const reply = await fetch(gateway.url + path, { method: 'PATCH' })
    t.equal(reply.status, 405, path)
    t.equal(reply.headers.get('allow'), allow)
    t.match(await reply.json(), { error: { code: 'method_not_allowed' } })
  }
  t.equal((await fetch(`${gateway.url}/v1/nothing`, { method: 'PATCH' })).status, 404)
})

t.test('the page at /docs loads everything from Signalbox itself', async t => {
  const { gateway } = await setUp(t)
  const page = await fetch(`${gateway.url}/docs`)
  t.equal(page.status, 200)
  t.match(page.headers.get('content-security-policy'), /default-src 'self'/)
  const html = await page.text()
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1]!)
  t.ok(links.length > 3)
  for (const link of links) {
    t.notMatch(link, /^(?:https?:)?\/\//, link)
    t.equal((await fetch(new URL(link, `${gateway.url}/docs/`))).status, 200, link)
  }
})

async function setUp(t: Teardown) {
  const upstream = await scriptedUpstream(t, 'llama-cpp', {
    models: [{ name: 'scripted' }],
    route({ path }) {
      if (path === '/v1/embeddings')
        return {
          json: { object: 'list', data: [0, 1].map(index => ({ object: 'embedding', index, embedding: [0.5] })) },
        }
      if (path === '/v1/rerank') return { json: { results: [{ index: 0, relevance_score: 0.5 }] } }
      if (path === '/v1/completions') return { json: { choices: [{ index: 0, text: 'b', finish_reason: 'stop' }] } }
      if (path === '/infill')
        return { json: { content: 'a = 1', tokens_predicted: 2, tokens_evaluated: 3, stop: true } }
      return undefined
    },
  })
  const media = await scriptedUpstream(t, 'openai-compatible', {
    models: ['omni-moderation-latest', 'tts-1', 'whisper-1', 'gpt-image-1'],
    route: ({ path }) => (/moderations|audio|images/.test(path) ? { json: {} } : undefined),
  })
  const gateway = await startGateway(t, variablesFor(upstream, media))
  const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Document
  return { gateway, document }
}

/** A served route is documented as it is or under /v1, whatever its parameter is called. */
function sameRoute(documented: string, served: string): boolean {
  const [method, path] = served.split(' ') as [string, string]
  return ['', '/v1'].some(prefix => documented === `${method} ${prefix}${path.replace(/^\/v1\/v1/, '/v1')}`)
}

function escaped(path: string): string {
  return encodeURIComponent(path.replaceAll('~', '~0').replaceAll('/', '~1'))
}
