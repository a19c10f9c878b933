import { asGatewayError, type GatewayError } from '../errors.ts'
import type { Answer, Served } from '../gateway/answer.ts'
import type { StreamWriter } from '../wire/protocol.ts'
import type { StreamPart } from '../wire/stream-part.ts'

/** Where a streamed answer goes. */
export interface StreamTarget {
  /** Whether something was sent, so that a failure can no longer be an ordinary error response. */
  opened(): boolean
  /** Begins the answer; `headers` say which model gives it. */
  open(headers: Readonly<Record<string, string>>): void
  /** False: its reader is behind, so wait until it has `drained`. */
  send(bytes: Buffer): boolean
  drained(signal: AbortSignal): Promise<void>
  /** Sends something that changes no answer: `bytes`, where the answer has begun. */
  keepAlive(bytes: Buffer | undefined): void
  /** The end of a complete answer. */
  end(bytes: Buffer): void
  /** The end of one that failed after it was opened; `bytes` say so, where the answer has begun. */
  fail(error: GatewayError, bytes: Buffer | undefined): void
  /** Called last; ends a stream that is still open. */
  abandon(): void
}

export interface StreamAnswerParts {
  target: StreamTarget
  answer: Promise<Answer<unknown>>
  writerOf: (served: Served) => StreamWriter
  /** Aborted on a disconnect. */
  signal: AbortSignal
  keepAliveMs: number
  headersOf: (served: Served) => Record<string, string>
}

/**
 * Streams an answer to the caller. Nothing is sent before the first token, so an earlier failure is an ordinary error
 * response (this function throws it). Only when a cold model keeps the caller waiting for `keepAliveMs` is something sent
 * first that clients ignore; then the answering model follows as a comment where there are any, since the headers have been
 * sent.
 */
export async function streamAnswer(parts: StreamAnswerParts): Promise<void> {
  const { target, answer, writerOf, signal, keepAliveMs, headersOf } = parts
  let writer: StreamWriter | undefined
  const keepAlive = setInterval(() => target.keepAlive(writer?.keepAlive()), keepAliveMs)
  try {
    const { served, reply: answered } = await answer
    if (answered.kind !== 'stream')
      throw new Error(`${served.model.id} answered a stream request with a buffered response`)
    target.open(headersOf(served))
    writer = writerOf(served)
    const { parts } = answered
    for await (const part of parts) {
      const bytes = await written(writer, part, parts)
      keepAlive.refresh()
      if (bytes.length > 0 && !target.send(bytes)) await target.drained(signal)
    }
    target.end(writer.end())
  } catch (thrown) {
    if (!target.opened()) throw thrown
    const error = asGatewayError(thrown)
    target.fail(error, writer?.fail(error))
  } finally {
    clearInterval(keepAlive)
    target.abandon()
  }
}

/**
 * The part in the caller's protocol. Some parts are parsed only here, so an invalid one throws here; the error is passed to the
 * stream, so that its record shows the error instead of a disconnect.
 */
async function written(writer: StreamWriter, part: StreamPart, parts: AsyncGenerator<StreamPart>): Promise<Buffer> {
  try {
    return writer.push(part)
  } catch (error) {
    await parts.throw(error)
    throw error
  }
}
