import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { asGatewayError } from '../errors.ts'
import type { Answer, Served } from '../gateway/answer.ts'
import { commentFrame, type Protocol, type StreamWriter } from '../wire/protocol.ts'
import type { StreamPart } from '../wire/stream-part.ts'

export interface StreamAnswerParts {
  reply: FastifyReply
  answer: Promise<Answer<unknown>>
  protocol: Pick<Protocol, 'writeError'>
  writerOf: (served: Served) => StreamWriter
  /** Aborted on a disconnect. */
  signal: AbortSignal
  keepAliveMs: number
  headersOf: (served: Served) => Record<string, string>
}

/**
 * Streams an answer to the caller. Nothing is sent before the first token, so an earlier failure is an ordinary error
 * response (this function throws it). Only when a cold model keeps the caller waiting for `keepAliveMs` is a comment
 * sent first; then the answering model follows as a comment too, since the headers have been sent.
 */
export async function streamAnswer(parts: StreamAnswerParts): Promise<void> {
  const { reply, answer, protocol, writerOf, signal, keepAliveMs, headersOf } = parts
  const { raw } = reply
  let writer: StreamWriter | undefined
  const keepAlive = setInterval(() => {
    if (!raw.headersSent) open(reply, {})
    raw.write(writer?.keepAlive() ?? commentFrame)
  }, keepAliveMs)
  try {
    const { served, reply: answered } = await answer
    if (answered.kind !== 'stream')
      throw new Error(`${served.model.id} answered a stream request with a buffered response`)
    const headers = headersOf(served)
    if (raw.headersSent) raw.write(asComments(headers))
    else open(reply, headers)
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
    raw.end(writer?.fail(error) ?? asErrorEvent(protocol, error))
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

function open(reply: FastifyReply, headers: Record<string, string>): void {
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
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

function asComments(headers: Record<string, string>): string {
  return `${Object.entries(headers)
    .map(([name, value]) => `: ${name}: ${value}\n`)
    .join('')}\n`
}

/** A failure after a comment was sent but before the answer: the protocol's error envelope as an event. */
function asErrorEvent(protocol: Pick<Protocol, 'writeError'>, error: Parameters<Protocol['writeError']>[0]): string {
  return `event: error\ndata: ${JSON.stringify(protocol.writeError(error).body)}\n\n`
}
