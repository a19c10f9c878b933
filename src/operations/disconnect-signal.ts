import type { FastifyReply } from 'fastify'
import { GatewayError } from '../errors.ts'

/** Aborts when the caller disconnects before the response is complete. */
export function disconnectSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new GatewayError('client_closed', 'The caller disconnected.'))
  })
  return controller.signal
}
