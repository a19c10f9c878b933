import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { ResponseStore } from './response-store.ts'

/** `GET` and `DELETE /v1/responses/{id}`: stored responses of the caller. */
export function registerResponseRoutes(app: FastifyInstance, store: ResponseStore): void {
  app.get<{ Params: { id: string } }>('/responses/:id', ({ params, principal }) => {
    const response = store.of(principal).get(params.id)
    if (response === undefined) throw unknownResponse(params.id)
    return response
  })
  app.delete<{ Params: { id: string } }>('/responses/:id', ({ params, principal }) => {
    if (!store.of(principal).delete(params.id)) throw unknownResponse(params.id)
    return { id: params.id, object: 'response', deleted: true }
  })
}

function unknownResponse(id: string): GatewayError {
  return new GatewayError('not_found', `Response '${id}' not found: only recent responses are kept, in memory.`)
}
