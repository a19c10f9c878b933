import websocket, { type WebSocket } from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { maxBodyBytes } from './http-failure.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route is for WebSockets; without an upgrade it does not count as one. */
    webSocket?: boolean
  }
}

const pingMs = 20_000
/** How long a closed connection may take to say goodbye. */
const closeMs = 1_000
/** Close codes of WebSockets: the server goes away; a message is too large. */
const goingAway = 1001
const messageTooLarge = 1009

/** What serves one connection. */
export interface SocketService {
  /** Bytes that have arrived since the last complete message; throws if they are too many. */
  receiving?: (bytes: number) => void
  /** The server stops: finishes what is in progress and then closes. By default the connection is closed at once. */
  finish?: () => void
  /** The connection is closed, by whichever side. */
  closed: () => void
}

export interface SocketRoute {
  path: string
  /** Largest message of a client, in bytes. */
  maxMessageBytes: number
  /** Throws a `GatewayError` to refuse the upgrade. */
  admit?: (request: FastifyRequest, reply: FastifyReply) => void
  /** Answers requests without an upgrade. */
  refuse: (request: FastifyRequest, reply: FastifyReply) => unknown
  serve: (socket: WebSocket, request: FastifyRequest) => SocketService
}

/** The WebSockets of an app; routes may be added until it listens. */
export interface WebSockets {
  add(route: SocketRoute): void
}

/**
 * Serves WebSockets: one upgrade handler for all routes, so that hooks (keys, origins) apply as to other requests. A client that
 * does not answer a ping before the next one is disconnected.
 */
export function createWebSockets(app: FastifyInstance): WebSockets {
  const routes: SocketRoute[] = []
  const open = new Map<WebSocket, SocketService>()
  let stopping = false

  function serve(route: SocketRoute, socket: WebSocket, request: FastifyRequest): void {
    const connection = route.serve(socket, request)
    open.set(socket, connection)
    const unwatch = watchPeer(socket, request, route, connection)
    socket.on('close', () => {
      unwatch()
      open.delete(socket)
      connection.closed()
    })
    if (stopping) stop(socket, connection)
  }

  // A rejected upgrade leaves an unowned socket, and closing the server would wait for it.
  app.addHook('onResponse', async ({ headers, raw }, reply) => {
    if (headers.upgrade !== undefined && reply.statusCode >= 400) raw.socket.destroySoon()
  })
  void app.register(async scope => {
    await scope.register(websocket, {
      options: { maxPayload: maxBodyBytes },
      // What a client sends is no failure of ours; by default each invalid frame would be logged as one, with its stack.
      errorHandler: (error, socket, request) => {
        request.log.debug({ err: error, path: request.routeOptions.url }, 'a WebSocket connection failed')
        socket.terminate()
      },
      preClose: done => {
        stopping = true
        for (const [socket, connection] of open) stop(socket, connection)
        done()
      },
    })
    for (const route of routes) {
      scope.route({
        method: 'GET',
        url: route.path,
        exposeHeadRoute: false,
        config: { webSocket: true },
        preHandler: async (request, reply) => {
          if (request.ws) route.admit?.(request, reply)
        },
        handler: async (request, reply) => route.refuse(request, reply),
        wsHandler: (socket, request) => serve(route, socket, request),
      })
    }
  })
  return { add: route => void routes.push(route) }
}

/** Closes a connection; one whose peer does not answer is cut. */
export function closeSocket(socket: WebSocket, code: number, reason = ''): void {
  socket.close(code, reason)
  setTimeout(() => socket.terminate(), closeMs).unref()
}

function stop(socket: WebSocket, { finish }: SocketService): void {
  if (finish === undefined) closeSocket(socket, goingAway, 'Signalbox is shutting down.')
  else finish()
}

/** Disconnects a peer that is gone or sends too much at once, until the returned function is called. */
function watchPeer(
  socket: WebSocket,
  { raw }: FastifyRequest,
  { maxMessageBytes }: SocketRoute,
  { receiving }: SocketService,
): () => void {
  let answered = true
  let arrived = 0
  const pinging = setInterval(() => {
    if (!answered) socket.terminate()
    answered = false
    socket.ping()
  }, pingMs)
  socket.on('pong', () => {
    answered = true
    arrived = 0
  })
  socket.on('message', () => {
    arrived = 0
  })
  // Before the WebSocket's own reader, which keeps the parts of a message until it is complete.
  const count = (chunk: Buffer) => {
    arrived += chunk.length
    try {
      if (arrived > maxMessageBytes) throw new RangeError('The message is too large.')
      receiving?.(arrived)
    } catch (error) {
      closeSocket(socket, messageTooLarge, (error as Error).message.slice(0, 100))
      raw.socket.destroySoon()
    }
  }
  raw.socket.prependListener('data', count)
  return () => {
    clearInterval(pinging)
    raw.socket.off('data', count)
  }
}
