import type { GatewayError } from '../../errors.ts'
import type { ErrorReply } from '../protocol.ts'

/** OpenAI's error envelope, shared by chat completions and Responses. */
export function writeOpenAiError(error: GatewayError): ErrorReply {
  const { message, code, failure, param } = error
  return { status: failure.status, body: { error: { message, type: failure.type, param: param ?? null, code } } }
}
