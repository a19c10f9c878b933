import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { Core } from '../core.ts'
import { watchLive } from './live.ts'

const mostUnreadBytes = 1024 * 1024
const pingMs = 20_000

/**
 * `/ws`: task and queue changes as they happen. A reader that leaves more than 1 MB unread, or does not answer a ping before
 * the next one, is dropped and may come back for a new snapshot.
 */
export function liveSocket(app: FastifyInstance, core: Core): void {
  void app.register(async scope => {
    await scope.register(websocket, { options: { maxPayload: 64 * 1024 } })
    scope.get('/ws', { websocket: true }, socket => {
      let answered = true
      const unwatch = watchLive(core, message => {
        if (socket.bufferedAmount > mostUnreadBytes) socket.terminate()
        else socket.send(JSON.stringify(message))
      })
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
      socket.on('error', () => {
        socket.terminate()
      })
    })
  })
}
