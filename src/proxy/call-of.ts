import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Call } from '../gateway/call.ts'
import { disconnectSignal } from '../operations/disconnect-signal.ts'
import type { RequestOptions } from '../router/options.ts'
import { callerRequestId } from './request-id.ts'

/** The caller, with a signal that aborts on a disconnect before or after the first byte of the answer. */
export function openCall(
  incoming: FastifyRequest,
  reply: FastifyReply,
  endpoint: string,
  options: RequestOptions = {},
): Call {
  return {
    requestId: incoming.id,
    callerRequestId: callerRequestId(incoming),
    endpoint,
    keyId: incoming.principal.name,
    options,
    signal: disconnectSignal(reply),
    receivedAt: incoming.receivedAt,
  }
}
