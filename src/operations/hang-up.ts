import type { FastifyReply } from 'fastify'
import { GatewayError } from '../errors.ts'

/** Aborts when the caller hangs up before they have their whole answer, before or after its first byte. */
export function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new GatewayError('client_closed', 'The caller hung up.'))
  })
  return controller.signal
}
