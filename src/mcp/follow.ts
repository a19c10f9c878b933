import { setTimeout as delay } from 'node:timers/promises'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { Client } from '../operations/client.ts'
import { ConnectionLost } from '../operations/http-client.ts'
import type { Effect } from '../operations/operation.ts'

/** A core to use: one in this process, or a connection to another process's. */
export interface Connection {
  client: Client
  url: string
  /** Settles when this core has ended. */
  gone: Promise<void>
  close: () => Promise<void>
}

/** Thrown by `connect` where a retry in a moment may succeed. */
export class NotYet extends Error {
  override readonly name = 'NotYet'
}

export interface FollowParts {
  /** Becomes the core, or finds the existing one. Throws `NotYet` while another process is starting. */
  connect: () => Promise<Connection>
  effectOf: (operation: string) => Effect | undefined
  /** How long to retry before a caller gets the error that there is no core. */
  patienceMs: number
  now: () => number
  onError: (error: unknown) => void
}

export interface Following {
  client: Client
  url: () => string
  /** Connects now, so that a failure is reported before the first call. */
  start: () => Promise<void>
  close: () => Promise<void>
}

const maxTries = 3

/**
 * A client that outlives its core: when the core ends, this process or another replaces it, and calls that are safe to
 * repeat are repeated there. A call that costs money is repeated only when the core certainly never started it.
 */
export function followCore({ connect, effectOf, patienceMs, now, onError }: FollowParts): Following {
  const closing = new AbortController()
  let current: Promise<Connection> | undefined
  let live: Connection | undefined
  let url = ''

  const connection = () => (current ??= establish())

  async function establish(): Promise<Connection> {
    const deadline = now() + patienceMs
    for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 2, 250)) {
      closing.signal.throwIfAborted()
      try {
        const made = await connect()
        live = made
        url = made.url
        made.gone.then(() => lose(made), onError)
        return made
      } catch (error) {
        if (!(error instanceof NotYet) || now() >= deadline) {
          current = undefined
          throw error
        }
        await delay(pauseMs, undefined, { signal: closing.signal })
      }
    }
  }

  /** Some process must own the core, even while no client calls it. */
  function lose(lost: Connection): void {
    if (live !== lost || closing.signal.aborted) return
    live = undefined
    current = undefined
    connection().catch(onError)
  }

  return {
    url: () => url,
    start: async () => {
      await connection()
    },
    client: {
      async call(name, input, options) {
        for (let tries = 1; ; tries++) {
          const made = await connection().catch((error: unknown) => {
            throw error instanceof GatewayError ? error : noCore(error)
          })
          try {
            return await made.client.call(name, input, options)
          } catch (thrown) {
            const error = asGatewayError(thrown)
            const lost = error.cause instanceof ConnectionLost ? error.cause : undefined
            const refused = error.code === 'shutting_down'
            if ((lost === undefined && !refused) || closing.signal.aborted || tries === maxTries) throw error
            if (lost?.begun === true && effectOf(name) === 'spend') throw halfDone(name)
            lose(made)
            await made.close()
          }
        }
      },
    },
    async close() {
      closing.abort()
      await current?.then(
        made => made.close(),
        () => undefined,
      )
    },
  }
}

function noCore(cause: unknown): GatewayError {
  return new GatewayError(
    'upstream_unavailable',
    `No Signalbox could be reached or started: ${(cause as Error).message}`,
    {
      cause,
    },
  )
}

function halfDone(name: string): GatewayError {
  return new GatewayError(
    'upstream_disconnected',
    `The Signalbox running ${name} stopped before it answered. The work may have started: check list_tasks before you retry.`,
  )
}
