import { WebSocket } from 'undici'
import { GatewayError } from '../errors.ts'
import { asObject } from '../json.ts'
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

/**
 * Connects to a running Signalbox. Throws `NotYet` when none answers there, and a
 * `GatewayError` if it rejects the token or is something else.
 */
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
  } catch (error) {
    // A socket does not say why it was not opened.
    await explainRefusal(url, headers)
    throw error
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

/** Throws if something answers at `url` that will not let us in, however often we ask. */
async function explainRefusal(url: string, headers: Record<string, string>): Promise<void> {
  const signal = AbortSignal.timeout(greetingMs)
  const reply = await fetch(url, { headers, signal, redirect: 'manual' }).catch(() => undefined)
  if (reply === undefined) return
  if (reply.status === 401) {
    throw new GatewayError(
      'unauthorized',
      headers['authorization'] === undefined
        ? `The Signalbox at ${url} requires an API key: pass it with --api-key or SIGNALBOX_API_KEY.`
        : `The Signalbox at ${url} rejected the API key; check --api-key or SIGNALBOX_API_KEY.`,
    )
  }
  const root = asObject(await reply.json().catch(() => undefined))
  if (root?.['name'] === 'signalbox') return
  throw new GatewayError('not_found', `${url} answers, but not as a Signalbox; check --target or SIGNALBOX_TARGET.`)
}
