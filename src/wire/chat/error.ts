import type { GatewayError } from '../../errors.ts'
import type { ErrorReply } from '../protocol.ts'

/** OpenAI's error envelope, for chat completions and Responses alike. */
export function writeOpenAiError(error: GatewayError): ErrorReply {
  const { message, code, failure, param } = error
  return { status: failure.status, body: { error: { message, type: failure.type, param: param ?? null, code } } }
}
