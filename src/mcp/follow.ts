import { setTimeout as delay } from 'node:timers/promises'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { Client } from '../operations/client.ts'
import { ConnectionLost } from '../operations/http-client.ts'
import type { Effect } from '../operations/operation.ts'

/** A core to work with: one in this process, or a connection to another’s. */
export interface Connection {
  client: Client
  url: string
  /** Settles when this core is gone. */
  gone: Promise<void>
  close: () => Promise<void>
}

/** Thrown by `connect` where another try in a moment may succeed. */
export class NotYet extends Error {
  override readonly name = 'NotYet'
}

export interface FollowParts {
  /** Becomes the core, or finds the one that is. Throws `NotYet` while another process is on its way. */
  connect: () => Promise<Connection>
  effectOf: (operation: string) => Effect | undefined
  /** How long to go on trying before a caller is told that there is no core. */
  patienceMs: number
  now: () => number
  onError: (error: unknown) => void
}

export interface Following {
  client: Client
  url: () => string
  /** Connects now, so that a failure shows before anything is asked. */
  start: () => Promise<void>
  close: () => Promise<void>
}

const maxTries = 3

/**
 * A client that outlives its core: when the core ends, this process or another takes its place, and calls that may be made
 * twice are made again there. One that costs money is repeated only when the core surely never began it.
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

  /** Somebody must own the core, also while nobody asks anything of it. */
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
    `The Signalbox that worked on ${name} ended before it answered. It may have been begun: look at list_tasks before you ask again.`,
  )
}
