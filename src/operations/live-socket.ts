import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { SendText } from './live.ts'
import type { WebSockets } from './web-sockets.ts'

const maxUnreadBytes = 1024 * 1024

/** Starts sending what the caller may see and returns the function that stops it. */
export type Watch = (send: SendText, caller: FastifyRequest) => () => void

/**
 * `/ws`: task and queue changes as they happen. A reader that leaves more than 1 MB unread is disconnected and may reconnect
 * for a new snapshot.
 */
export function registerLiveSocket(sockets: WebSockets, watch: Watch): void {
  sockets.add({
    path: '/ws',
    // Nothing that a watcher sends is read.
    maxMessageBytes: 64 * 1024,
    refuse: () => {
      throw new GatewayError('not_found', 'Not found: /ws is for WebSockets only.')
    },
    serve(socket, request) {
      const unwatch = watch(text => {
        if (socket.bufferedAmount > maxUnreadBytes) socket.terminate()
        else socket.send(text, { binary: false })
      }, request)
      return { closed: unwatch }
    },
  })
}
