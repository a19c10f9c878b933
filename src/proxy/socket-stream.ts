import type { WebSocket } from '@fastify/websocket'
import { asGatewayError } from '../errors.ts'
import { messagesOf, socketError } from '../wire/responses/socket.ts'
import type { StreamTarget } from './stream-answer.ts'

/** Bytes that a reader may leave unread before the answer waits for it. */
const maxUnreadBytes = 1024 * 1024

/** The messages of one answer on a WebSocket; its first one carries the headers that an HTTP response would have. */
export function socketTarget(socket: WebSocket, streamId: string | undefined): StreamTarget {
  const added = streamId === undefined ? {} : { stream_id: streamId }
  let headers: Readonly<Record<string, string>> | undefined
  let opened = false
  let unsent = 0
  let wake: (() => void) | undefined
  const sent = () => {
    unsent -= 1
    if (unsent === 0) wake?.()
  }
  const send = (bytes: Buffer): void => {
    for (const message of messagesOf(bytes, { ...added, ...(headers !== undefined && { headers }) })) {
      headers = undefined
      unsent += 1
      socket.send(message, { binary: false }, sent)
    }
  }
  return {
    opened: () => opened,
    open(given) {
      opened = true
      if (Object.keys(given).length > 0) headers = given
    },
    send(bytes) {
      send(bytes)
      return socket.bufferedAmount <= maxUnreadBytes
    },
    async drained(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const left = () => reject(asGatewayError(signal.reason))
      wake = resolve
      signal.addEventListener('abort', left, { once: true })
      if (unsent === 0) resolve()
      if (signal.aborted) left()
      try {
        await promise
      } finally {
        wake = undefined
        signal.removeEventListener('abort', left)
      }
    },
    // The connection itself is kept alive with pings.
    keepAlive: () => {},
    end: send,
    fail(error, bytes) {
      if (bytes === undefined) socket.send(socketError(error, streamId))
      else send(bytes)
    },
    abandon: () => {},
  }
}
