import { GatewayError } from '../errors.ts'
import { createCompletionFold } from '../wire/chat/chunks.ts'
import type { ChatCompletion } from '../wire/chat/schema.ts'
import type { StreamPart } from '../wire/stream-part.ts'
import type { AttemptRecorder } from './attempt-record.ts'
import type { Primed } from './attempt.ts'

/** A complete answer that has not been sent yet. */
export interface BufferedResponse {
  completion: ChatCompletion
  /** The answer in the form in which it arrived, to be sent once. */
  reply: Primed<ChatCompletion>
}

/** A longer stream is too long to check; about a million tokens. */
const maxBytes = 4 * 1024 * 1024

/**
 * Reads an answer to its end and holds it back. Stopping early, because the signal of the attempt aborted or the answer is
 * too long, closes the upstream's socket. Throws the upstream's failure, or `answer_rejected` for an answer that is too long.
 */
export async function bufferResponse(reply: Primed<ChatCompletion>, entry: AttemptRecorder): Promise<BufferedResponse> {
  if (reply.kind === 'complete') {
    entry.completed(reply.completion)
    return { completion: reply.completion, reply }
  }
  const parts: StreamPart[] = []
  let bytes = 0
  for await (const part of entry.hold(reply.parts)) {
    parts.push(part)
    bytes += (part.messages ?? part.bytes).length
    if (bytes > maxBytes) {
      throw new GatewayError(
        'answer_rejected',
        `The answer is longer than ${maxBytes} bytes, the maximum that is checked.`,
      )
    }
  }
  const fold = createCompletionFold()
  for (const part of parts) fold.addPart(part)
  return { completion: fold.completion(), reply: { ...reply, parts: replay(parts) } }
}

async function* replay(parts: readonly StreamPart[]): AsyncGenerator<StreamPart, void, void> {
  yield* parts
}
