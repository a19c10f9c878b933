import type { GatewayError } from '../../errors.ts'
import type { ErrorReply } from '../protocol.ts'

/** Ollama's error: only a message, in a response and in a stream. */
export function writeOllamaError({ message, failure }: GatewayError): ErrorReply {
  return { status: failure.status, body: { error: message } }
}
