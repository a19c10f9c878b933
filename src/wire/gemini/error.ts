import type { GatewayError } from '../../errors.ts'
import type { ErrorReply } from '../protocol.ts'

/** Google's names of HTTP statuses. */
const statuses: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

/** Google's error envelope, for a response and for an object of a stream. */
export function writeGeminiError({ message, failure }: GatewayError): ErrorReply {
  const code = failure.status
  return { status: code, body: { error: { code, message, status: statuses[code] ?? 'INVALID_ARGUMENT' } } }
}
