import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Principal } from '../operations/operation.ts'
import type { TokenCounter } from '../tokens/counter.ts'
import { readFields } from '../wire/read-body.ts'
import { compact } from '../wire/responses/compact-protocol.ts'
import { responses } from '../wire/responses/protocol.ts'
import { listedItems } from '../wire/responses/schema.ts'
import { registerChatRoute, type RouteParts } from './chat-routes.ts'
import type { ReachableResponses, ResponseStore } from './response-store.ts'

interface ResponseRouteParts {
  store: ResponseStore
  tokens: TokenCounter
  parts: RouteParts
}

type ById = { Params: { id: string } }

/** How a list is cut into pages. */
export const ItemsQuery = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(['asc', 'desc']).default('desc'),
})

/** What there is below `/v1/responses`: stored responses of the caller, and what is done with a conversation besides answering. */
export function registerResponseRoutes(app: FastifyInstance, { store, tokens, parts }: ResponseRouteParts): void {
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
    const { after, limit, order } = readFields(ItemsQuery, query)
    const items = listedItems(
      found(principal, id, stored => stored.inputOf(id)),
      id,
    )
    if (order === 'desc') items.reverse()
    const start = after === undefined ? 0 : items.findIndex(item => item['id'] === after) + 1
    const data = items.slice(start, start + limit)
    return {
      object: 'list',
      data,
      first_id: data[0]?.['id'] ?? null,
      last_id: data.at(-1)?.['id'] ?? null,
      has_more: start + limit < items.length,
    }
  })
  // None is made in the background, so a stored one is complete: cancelling changes nothing, as with a complete one at OpenAI.
  app.post<ById>('/responses/:id/cancel', ({ params: { id }, principal }) =>
    found(principal, id, stored => stored.get(id)),
  )
  app.post('/responses/input_tokens', ({ body, principal }) => {
    const { request } = store.of(principal).remembering(responses).parseRequest(body)
    return {
      object: 'response.input_tokens',
      input_tokens: tokens.countMessages(request.messages, request.tools).tokens,
    }
  })
  registerChatRoute(app, compact, { ...parts, protocolOf: principal => store.of(principal).remembering(compact) })
}
