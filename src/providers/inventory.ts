import { GatewayError } from '../errors.ts'
import { redact } from '../redact.ts'
import type { Health, Model } from './provider.ts'

const maxReasonChars = 500

/** The models that an endpoint serves and its health, as of the last refresh. */
export interface EndpointInventory {
  models(): readonly Model[]
  health(): Health
  refresh(signal: AbortSignal, options?: { fresh?: boolean }): Promise<void>
  /** Aborts a refresh in progress. */
  close(): Promise<void>
}

export interface EndpointInventoryParts {
  /** Queries the server; whatever it throws makes the endpoint `down`. */
  ask: (signal: AbortSignal, fresh: boolean) => Promise<readonly Model[]>
  label: string
  now: () => number
}

/** Time limit for all requests of one refresh together. */
const listTimeoutMs = 3_000

/** Concurrent refreshes share one query, which continues for the others when one of them is aborted. */
export function createInventory({ ask, label, now }: EndpointInventoryParts): EndpointInventory {
  let models: readonly Model[] = []
  let health: Health = { state: 'unknown', checkedAt: 0 }
  let underWay: Promise<void> | undefined
  const closing = new AbortController()

  const question = async (fresh: boolean): Promise<void> => {
    const tooLong = new AbortController()
    const stopClock = afterRunning(listTimeoutMs, () => {
      const sentence = `${label} did not list its models within ${listTimeoutMs / 1000} s; check that it is not stuck.`
      tooLong.abort(new GatewayError('upstream_timeout', sentence))
    })
    try {
      models = await ask(AbortSignal.any([closing.signal, tooLong.signal]), fresh)
      health = { state: 'up', checkedAt: now() }
    } catch (error) {
      models = []
      const reason =
        error instanceof GatewayError
          ? error.message
          : `${label} answered something unexpected: ${redact(String(error), maxReasonChars)}`
      health = { state: 'down', reason, checkedAt: now() }
    } finally {
      stopClock()
    }
  }

  return {
    models: () => models,
    health: () => health,
    async refresh(signal, { fresh = false } = {}) {
      underWay ??= question(fresh).finally(() => {
        underWay = undefined
      })
      await untilAborted(underWay, signal)
    },
    async close() {
      closing.abort(new GatewayError('shutting_down', 'Signalbox is shutting down.'))
      await underWay
    },
  }
}

const tickMs = 100

/**
 * Calls `act` after `ms` in which this process ran: a server is not at fault for an answer that nobody here could read, such as
 * while large requests are parsed. The returned function stops the clock.
 */
function afterRunning(ms: number, act: () => void): () => void {
  let leftMs = ms
  const clock = setInterval(() => {
    // However late this tick is, it counts as one.
    leftMs -= tickMs
    if (leftMs > 0) return
    clearInterval(clock)
    act()
  }, tickMs)
  return () => clearInterval(clock)
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const aborted = Promise.withResolvers<void>()
  const leave = () => aborted.resolve()
  signal.addEventListener('abort', leave, { once: true })
  await Promise.race([work, aborted.promise])
  signal.removeEventListener('abort', leave)
}
