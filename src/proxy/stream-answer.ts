import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { asGatewayError } from '../errors.ts'
import type { Answer, Served } from '../gateway/answer.ts'
import type { StreamFraming, StreamWriter } from '../wire/protocol.ts'
import type { StreamPart } from '../wire/stream-part.ts'

export interface StreamAnswerParts {
  reply: FastifyReply
  answer: Promise<Answer<unknown>>
  framing: StreamFraming
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
  const { reply, answer, framing, writerOf, signal, keepAliveMs, headersOf } = parts
  const { raw } = reply
  let writer: StreamWriter | undefined
  const keepAlive = setInterval(() => {
    if (!raw.headersSent) open(reply, framing, {})
    raw.write(writer?.keepAlive() ?? framing.idle)
  }, keepAliveMs)
  try {
    const { served, reply: answered } = await answer
    if (answered.kind !== 'stream')
      throw new Error(`${served.model.id} answered a stream request with a buffered response`)
    const headers = headersOf(served)
    if (raw.headersSent) raw.write(framing.lateHeaders(headers))
    else open(reply, framing, headers)
    writer = writerOf(served)
    const { parts } = answered
    for await (const part of parts) {
      const bytes = await written(writer, part, parts)
      keepAlive.refresh()
      if (bytes.length > 0 && !raw.write(bytes)) await drained(raw, signal)
    }
    raw.end(writer.end())
  } catch (thrown) {
    if (!raw.headersSent) throw thrown
    const error = asGatewayError(thrown)
    raw.end(writer?.fail(error) ?? framing.lateError(error))
  } finally {
    clearInterval(keepAlive)
    // Whatever the writer threw, a stream that began must end.
    if (raw.headersSent && !raw.writableEnded) raw.destroy()
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

function open(reply: FastifyReply, { contentType }: StreamFraming, headers: Record<string, string>): void {
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    ...headers,
    'content-type': contentType,
    'cache-control': 'no-cache',
    connection: 'keep-alive',
    'x-accel-buffering': 'no',
  })
}

async function drained(raw: ServerResponse, signal: AbortSignal): Promise<void> {
  try {
    await once(raw, 'drain', { signal })
  } catch (error) {
    throw signal.aborted ? asGatewayError(signal.reason) : asGatewayError(error)
  }
}
