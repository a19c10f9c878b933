import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { SendText } from './live.ts'

const maxUnreadBytes = 1024 * 1024
const pingMs = 20_000

/** Starts sending what the caller may see and returns the function that stops it. */
export type Watch = (send: SendText, caller: FastifyRequest) => () => void

/**
 * `/ws`: task and queue changes as they happen. A reader that leaves more than 1 MB unread, or does not answer a ping
 * before the next one, is disconnected and may reconnect for a new snapshot.
 */
export function registerLiveSocket(app: FastifyInstance, watch: Watch): void {
  // A rejected upgrade leaves an unowned socket, and closing the server would wait for it.
  app.addHook('onResponse', async ({ headers, raw }, reply) => {
    if (headers.upgrade !== undefined && reply.statusCode >= 400) raw.socket.destroySoon()
  })
  void app.register(async scope => {
    await scope.register(websocket, {
      options: { maxPayload: 64 * 1024 },
      // What a client sends is no failure of ours; by default each invalid frame would be logged as one, with its stack.
      errorHandler: (error, socket, request) => {
        request.log.debug({ err: error }, 'a /ws connection failed')
        socket.terminate()
      },
    })
    scope.get('/ws', { websocket: true }, (socket, request) => {
      let answered = true
      const unwatch = watch(text => {
        if (socket.bufferedAmount > maxUnreadBytes) socket.terminate()
        else socket.send(text, { binary: false })
      }, request)
      const pinging = setInterval(() => {
        if (!answered) socket.terminate()
        answered = false
        socket.ping()
      }, pingMs)
      socket.on('pong', () => {
        answered = true
      })
      socket.on('close', () => {
        clearInterval(pinging)
        unwatch()
      })
    })
  })
}
