import * as fc from 'fast-check'
import { brokenBytes, hostileString, mutatedJson } from './hostile-values.ts'
import { arbitraryOf, type Schema } from './schema-arbitrary.ts'
import type { FuzzRequest } from './requests.ts'

export interface ToolDescription {
  name: string
  inputSchema: Schema
}

/** Messages to `/mcp`: calls of every tool, every other method, and broken ones. `session` are the headers of an open session. */
export function mcpRequests(
  tools: readonly ToolDescription[],
  session: Record<string, string>,
): fc.Arbitrary<FuzzRequest> {
  const callable = tools.filter(({ name }) => !/check_for_updates|update_server/.test(name))
  const calls = fc.oneof(
    ...callable.map(({ name, inputSchema }) =>
      arbitraryOf(inputSchema, {}, { model: ['scripted', 'auto'], model_id: ['nothing'] }).map(input => ({
        method: 'tools/call',
        params: { name, arguments: input },
      })),
    ),
  )
  const others = fc
    .tuple(
      fc.constantFrom(
        'initialize',
        'ping',
        'tools/list',
        'resources/list',
        'resources/read',
        'resources/templates/list',
        'resources/subscribe',
        'prompts/list',
        'prompts/get',
        'completion/complete',
        'logging/setLevel',
        'tasks/list',
        'tasks/get',
        'notifications/cancelled',
        'notifications/progress',
        'no/such/method',
      ),
      fc.option(
        fc.dictionary(
          fc.constantFrom('name', 'uri', 'cursor', 'level', 'ref', 'argument', 'requestId', '_meta'),
          fc.oneof(fc.jsonValue({ maxDepth: 2 }), hostileString),
        ),
        { nil: undefined },
      ),
    )
    .map(([method, params]) => ({ method, params }))
  const id = fc.oneof(
    { weight: 8, arbitrary: fc.nat(1_000) },
    { weight: 1, arbitrary: fc.constantFrom(null, '', 'constructor', 1.5, -1) },
  )
  const message = fc
    .tuple(fc.oneof(calls, others), id)
    .map(([each, number]) => ({ jsonrpc: '2.0', id: number, ...each }))
  const body = fc.oneof(
    { weight: 4, arbitrary: message.map(each => JSON.stringify(each)) },
    { weight: 4, arbitrary: mutatedJson(message) },
    { weight: 1, arbitrary: fc.array(message, { maxLength: 3 }).map(each => JSON.stringify(each)) },
    { weight: 1, arbitrary: brokenBytes(message.map(each => JSON.stringify(each))) },
  )
  const accept = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  return fc.record({
    method: fc.constant('POST'),
    path: fc.constant('/mcp'),
    headers: fc.constantFrom({ ...accept, ...session }, { ...accept, ...session }, accept, {
      ...accept,
      'mcp-session-id': 'none',
    }),
    body,
  })
}
