import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { Principal } from '../operations/operation.ts'
import { compact } from '../wire/responses/compact-protocol.ts'
import { responses } from '../wire/responses/protocol.ts'
import { listedItems } from '../wire/responses/schema.ts'
import { registerChatRoute, type RouteParts } from './chat-routes.ts'
import { pageOf } from './list-page.ts'
import { countRequest, type CountParts } from './count-tokens.ts'
import type { ReachableResponses, ResponseStore } from './response-store.ts'

interface ResponseRouteParts {
  store: ResponseStore
  core: CountParts
  parts: RouteParts
}

const defaultItems = 20

type ById = { Params: { id: string } }

/** What there is below `/v1/responses`: stored responses of the caller, and what is done with a conversation besides answering. */
export function registerResponseRoutes(app: FastifyInstance, { store, core, parts }: ResponseRouteParts): void {
  const found = <T>(principal: Principal, id: string, read: (stored: ReachableResponses) => T | undefined): T => {
    const value = read(store.of(principal))
    if (value !== undefined) return value
    throw new GatewayError('not_found', `Response '${id}' not found: only recent responses are kept, in memory.`)
  }

  app.get<ById>('/responses/:id', ({ params: { id }, principal }) => found(principal, id, stored => stored.get(id)))
  app.delete<ById>('/responses/:id', ({ params: { id }, principal }) => {
    found(principal, id, stored => stored.delete(id) || undefined)
    return { id, object: 'response', deleted: true }
  })
  app.get<ById>('/responses/:id/input_items', ({ params: { id }, principal, query }) => {
    const items = found(principal, id, stored => stored.inputOf(id))
    return pageOf(listedItems(items, id), query, defaultItems)
  })
  // None is made in the background, so a stored one is complete: cancelling changes nothing, as with a complete one at OpenAI.
  app.post<ById>('/responses/:id/cancel', ({ params: { id }, principal }) =>
    found(principal, id, stored => stored.get(id)),
  )
  app.post('/responses/input_tokens', async (incoming, reply) => {
    const { request } = store.of(incoming.principal).remembering(responses).parseRequest(incoming.body)
    return { object: 'response.input_tokens', input_tokens: await countRequest(core, { incoming, reply }, request) }
  })
  registerChatRoute(app, compact, { ...parts, protocolOf: principal => store.of(principal).remembering(compact) })
}
