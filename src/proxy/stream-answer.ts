import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { asGatewayError } from '../errors.ts'
import type { Answer } from '../gateway/gateway.ts'
import type { StreamWriter } from '../wire/chat-writer.ts'

export interface StreamAnswerParts {
  reply: FastifyReply
  answer: Promise<Answer>
  writer: StreamWriter
  /** Aborted when the caller hangs up. */
  signal: AbortSignal
  keepAliveMs: number
  headersOf: (answer: Answer) => Record<string, string>
}

/**
 * Streams an answer to the caller. Nothing is sent before the first token, so a failure until then is an ordinary error reply
 * (this function throws it). Only when a cold model keeps the caller waiting for `keepAliveMs` does a comment go out first;
 * then who answered follows as a comment as well, since the headers are gone.
 */
export async function streamAnswer(parts: StreamAnswerParts): Promise<void> {
  const { reply, answer, writer, signal, keepAliveMs, headersOf } = parts
  const { raw } = reply
  const keepAlive = setInterval(() => {
    if (!raw.headersSent) open(reply, {})
    raw.write(': keep-alive\n\n')
  }, keepAliveMs)
  try {
    const { served, reply: answered } = await answer
    if (answered.kind !== 'stream') throw new Error(`${served.model.id} answered a stream request in one piece`)
    const headers = headersOf({ served, reply: answered })
    if (raw.headersSent) raw.write(asComments(headers))
    else open(reply, headers)
    for await (const part of answered.parts) {
      const bytes = writer.part(part)
      keepAlive.refresh()
      if (bytes !== undefined && !raw.write(bytes)) await drained(raw, signal)
    }
    raw.end(writer.end())
  } catch (thrown) {
    if (!raw.headersSent) throw thrown
    raw.end(writer.fail(asGatewayError(thrown)))
  } finally {
    clearInterval(keepAlive)
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
