import type { FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { Call } from '../gateway/call.ts'
import type { RequestOptions } from '../router/options.ts'

/** Who asks, with a signal that fires when he hangs up, before or after the first byte of the answer. */
export function openCall(
  incoming: FastifyRequest,
  reply: FastifyReply,
  endpoint: string,
  options: RequestOptions = {},
): Call {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new GatewayError('client_closed', 'The caller hung up.'))
  })
  return {
    requestId: incoming.id,
    endpoint,
    keyId: incoming.keyId,
    options,
    signal: controller.signal,
    receivedAt: incoming.receivedAt,
  }
}
