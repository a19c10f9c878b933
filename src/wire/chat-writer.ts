import type { GatewayError } from '../errors.ts'
import { withoutUsage, type StreamPart } from './stream-part.ts'

/** Turns a stream into the bytes of one caller's protocol. It is asked in order and keeps what it must remember between parts. */
export interface StreamWriter {
  part(part: StreamPart): Buffer | undefined
  /** What follows the last part of a complete answer. */
  end(): string
  /** What tells the caller that the stream broke. */
  fail(error: GatewayError): string
}

/** Chat completions: bytes pass through; usage is taken out for callers that did not ask for it. */
export function createChatWriter(includeUsage: boolean): StreamWriter {
  return {
    part: part => (includeUsage ? part : withoutUsage(part))?.bytes,
    end: () => 'data: [DONE]\n\n',
    fail: error => `data: ${JSON.stringify(chatError(error))}\n\n`,
  }
}

/** A failure in OpenAI's envelope. */
export function chatError(error: GatewayError) {
  return {
    error: { message: error.message, type: error.failure.type, code: error.code, param: error.param ?? null },
  }
}
