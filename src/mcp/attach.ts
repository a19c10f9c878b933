import { WebSocket } from 'undici'
import { httpClient } from '../operations/http-client.ts'
import { LiveMessage } from '../operations/live.ts'
import { NotYet, type Connection } from './follow.ts'

export interface AttachOptions {
  url: string
  /** Sent as a bearer token. */
  token?: string
  /** Receives every event of that instance, starting with its current state. */
  receive: (message: LiveMessage) => void
}

const greetingMs = 5_000

/** Connects to a running Signalbox. Throws `NotYet` when none answers there. */
export async function attach({ url, token, receive }: AttachOptions): Promise<Connection> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const socket = new WebSocket(`${url.replace(/^http/, 'ws').replace(/\/$/, '')}/ws`, { headers })
  const greeted = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  socket.addEventListener('message', ({ data }) => {
    // A newer Signalbox may send messages that this version does not know.
    const message = LiveMessage.safeParse(JSON.parse(String(data)))
    if (!message.success) return
    receive(message.data)
    greeted.resolve()
  })
  const closed = new Promise<void>(resolve => {
    socket.addEventListener('close', () => {
      greeted.reject(new NotYet(`No Signalbox answers at ${url}.`))
      gone.resolve()
      resolve()
    })
  })
  const timer = setTimeout(() => {
    socket.close()
  }, greetingMs)
  try {
    await greeted.promise
  } finally {
    clearTimeout(timer)
  }
  return {
    client: httpClient({ url, ...(token !== undefined && { token }) }),
    url,
    gone: gone.promise,
    close: async () => {
      socket.close()
      await closed
    },
  }
}
