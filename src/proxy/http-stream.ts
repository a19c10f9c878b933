import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import { asGatewayError } from '../errors.ts'
import type { StreamFraming } from '../wire/protocol.ts'
import type { StreamTarget } from './stream-answer.ts'

/** The body of an HTTP response. */
export function httpTarget(reply: FastifyReply, framing: StreamFraming): StreamTarget {
  const { raw } = reply

  function open(headers: Readonly<Record<string, string>>): void {
    reply.hijack()
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      ...headers,
      'content-type': framing.contentType,
      'cache-control': 'no-cache',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
    })
  }

  return {
    opened: () => raw.headersSent,
    open(headers) {
      if (raw.headersSent) raw.write(framing.lateHeaders(headers))
      else open(headers)
    },
    send: bytes => raw.write(bytes),
    async drained(signal) {
      try {
        await once(raw, 'drain', { signal })
      } catch (error) {
        throw signal.aborted ? asGatewayError(signal.reason) : asGatewayError(error)
      }
    },
    keepAlive(bytes) {
      if (!raw.headersSent) open({})
      raw.write(bytes ?? framing.idle)
    },
    end: bytes => void raw.end(bytes),
    fail: (error, bytes) => void raw.end(bytes ?? framing.lateError(error)),
    abandon() {
      // Whatever the writer threw, a stream that began must end.
      if (raw.headersSent && !raw.writableEnded) raw.destroy()
    },
  }
}
