import type { FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { Call } from '../gateway/account.ts'

/** Who asks, with a signal that fires when he hangs up, before or after the first byte of the answer. */
export function callOf(incoming: FastifyRequest, reply: FastifyReply, endpoint: string): Call {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new GatewayError('client_closed', 'The caller hung up.'))
  })
  const session = incoming.headers['x-signalbox-session']
  return {
    requestId: incoming.id,
    endpoint,
    keyId: incoming.keyId,
    session: typeof session === 'string' ? session.slice(0, 200) : undefined,
    signal: controller.signal,
    receivedAt: incoming.receivedAt,
  }
}
