import type { FastifyRequest } from 'fastify'
import type { Call } from '../gateway/call.ts'
import { requireScope } from '../operations/access.ts'
import type { RequestOptions } from '../router/options.ts'
import { callerRequestId } from './request-id.ts'

/** What brought a request: an HTTP request, or a message on a WebSocket with the headers of its upgrade. */
export type Incoming = Pick<FastifyRequest, 'id' | 'headers' | 'principal' | 'receivedAt' | 'body'>

/**
 * The caller; `signal` aborts on a disconnect before or after the first byte of the answer. Throws `forbidden` if their key may
 * not be used for inference.
 */
export function openCall(
  incoming: Incoming,
  signal: AbortSignal,
  endpoint: string,
  options: RequestOptions = {},
): Call {
  requireScope(incoming.principal, 'inference')
  return {
    requestId: incoming.id,
    callerRequestId: callerRequestId(incoming),
    endpoint,
    keyId: incoming.principal.name,
    traceParent: traceParentOf(incoming),
    options,
    signal,
    receivedAt: incoming.receivedAt,
  }
}

function traceParentOf({ headers: { traceparent } }: Incoming): string | undefined {
  return typeof traceparent === 'string' && traceparent !== '' ? traceparent : undefined
}
