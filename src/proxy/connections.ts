import { STATUS_CODES, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import { errorFormatOf } from './error-format.ts'
import { idHeaders } from './request-id.ts'
import { hasUnreadBody, sendWhileReading } from './unread-body.ts'

/** The time that a whole request may take to arrive; answers have no limit. */
export const wholeRequestMs = 900_000
/** What must arrive of a body in each `stallMs`. */
const minBodyBytes = 16 * 1024
/** How long a refused socket stays open, for its client to read the answer. */
const lingerMs = 1_000

/** Answers what never becomes a request that Fastify handles, and ends what does not arrive in time. */
export interface Connections {
  /** For `http.createServer`. */
  serverOptions: ServerOptions
  /** For Node's `clientError` event: a request that its parser rejects, or that takes too long. */
  refuse(error: ClientError, socket: Socket): void
  /** Registers what needs the app: slow bodies and unknown expectations. */
  watch(app: FastifyInstance): void
}

/** As Node's parser emits it; the packet is what it was reading. */
interface ClientError extends Error {
  code?: string
  reason?: string
  rawPacket?: unknown
}

/** A request whose body is arriving. */
interface Arriving {
  id: string
  request: IncomingMessage
  response: ServerResponse
  /** Of the socket, when it was last looked at; undefined: not yet for a whole period. */
  bytesRead: number | undefined
}

/**
 * `stallMs`: the time for a request's headers, and for each 16 KB of its body. `newId` makes the id of a request that Fastify
 * never sees.
 */
export function createConnections(stallMs: number, newId: () => string): Connections {
  const arriving = new Map<Socket, Arriving>()

  function refuseWith(error: GatewayError, socket: Socket, { id, url }: { id: string; url: string }): void {
    if (!socket.writable || socket.writableEnded) return
    const { status, body } = errorFormatOf(url)(error, id)
    const text = JSON.stringify(body)
    const headers = Object.entries({
      ...idHeaders(id),
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headers.join('')}\r\n${text}`)
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }

  function endSlow(): void {
    for (const [socket, each] of arriving) {
      const before = each.bytesRead
      each.bytesRead = socket.bytesRead
      if (!hasUnreadBody(each.request) || each.response.headersSent) arriving.delete(socket)
      else if (before !== undefined && socket.bytesRead - before < minBodyBytes) {
        arriving.delete(socket)
        refuseWith(tooSlow(stallMs), socket, { id: each.id, url: each.request.url ?? '' })
      }
    }
  }

  return {
    serverOptions: {
      headersTimeout: stallMs,
      requestTimeout: wholeRequestMs,
      connectionsCheckingInterval: Math.min(5_000, stallMs),
      // A missing Host is refused with the other requests that no route gets, in the caller's format.
      requireHostHeader: false,
    },
    refuse(error, socket) {
      const current = arriving.get(socket)
      // An answer that has begun cannot become another one.
      if (error.code === 'ECONNRESET' || current?.response.headersSent === true) socket.destroy()
      else {
        const url = current?.request.url ?? urlIn(error.rawPacket)
        refuseWith(asFailure(error, stallMs), socket, { id: current?.id ?? newId(), url })
      }
    },
    watch(app) {
      const sweep = setInterval(endSlow, stallMs)
      sweep.unref()
      app.addHook('onClose', async () => clearInterval(sweep))
      app.addHook('onRequest', async ({ id, raw }, reply) => {
        if (hasUnreadBody(raw)) {
          arriving.set(raw.socket, { id, request: raw, response: reply.raw, bytesRead: undefined })
        }
      })
      app.addHook('preValidation', async ({ raw }) => {
        if (!hasUnreadBody(raw)) arriving.delete(raw.socket)
      })
      app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
        const error = new GatewayError('expectation_failed', 'The only supported Expect header is 100-continue.')
        const id = newId()
        const reply = errorFormatOf(request.url ?? '', request.headers)(error, id)
        void sendWhileReading(request, response, { headers: idHeaders(id), ...reply })
      })
    },
  }
}

function asFailure(error: ClientError, stallMs: number): GatewayError {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return tooSlow(stallMs)
    case 'HPE_HEADER_OVERFLOW':
      return new GatewayError('headers_too_large', 'The address and headers of the request exceed 16 KB.')
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new GatewayError('request_too_large', 'The chunk extensions of the request body exceed 16 KB.')
    default: {
      const reason = error.reason ?? error.message
      return new GatewayError('invalid_request', `This is not a valid HTTP request: ${reason.slice(0, 200)}.`)
    }
  }
}

function tooSlow(stallMs: number): GatewayError {
  return new GatewayError(
    'request_timeout',
    `The request arrived too slowly: its headers, and then each ${minBodyBytes / 1024} KB of its body, must arrive within ${stallMs / 1000} s (CLIENT_STALL_TIMEOUT_MS), and all of it within ${wholeRequestMs / 60_000} minutes.`,
  )
}

/** The address in a request line, if the packet that was rejected begins with one. */
function urlIn(packet: unknown): string {
  const start = Buffer.isBuffer(packet) ? packet.toString('latin1', 0, 4_096) : ''
  return /^[A-Z]+ (\S+)/.exec(start)?.[1] ?? ''
}
