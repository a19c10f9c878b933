import type { Logger } from 'pino'
import type { Ledger } from './ledger.ts'

/** How long the ledger keeps its records, in days; 0 keeps them forever. */
export interface RetentionDays {
  /** Requests with their attempts, decisions and ratings. */
  requests: number
  /** The decisions of requests. */
  decisions: number
  /** Finished tasks. */
  tasks: number
}

export interface RetentionParts {
  ledger: Pick<Ledger, 'prune' | 'pruneDecisions'> & {
    tasks: Pick<Ledger['tasks'], 'prune'>
    budgets: Pick<Ledger['budgets'], 'prune'>
  }
  days: () => RetentionDays
  /** Milliseconds since the epoch. */
  now: () => number
  log: Pick<Logger, 'error'>
  intervalMs?: number
}

const dayMs = 86_400_000
const defaultIntervalMs = 3_600_000

/** Prunes the ledger now and every hour, in the background. A failure is logged; the next hour retries. */
export function startRetention(parts: RetentionParts): { close: () => Promise<void> } {
  const { ledger, days, now, log, intervalMs = defaultIntervalMs } = parts
  const closing = new AbortController()
  let underWay: Promise<void> | undefined

  async function prune(): Promise<void> {
    const { requests, decisions, tasks } = days()
    const { signal } = closing
    try {
      if (requests > 0) {
        await ledger.prune(now() - requests * dayMs, signal)
        await ledger.budgets.prune(now() - requests * dayMs, signal)
      }
      if (decisions > 0) await ledger.pruneDecisions(now() - decisions * dayMs, signal)
      await ledger.tasks.prune(now() - tasks * dayMs, signal)
    } catch (err) {
      if (!signal.aborted) log.error({ err }, 'pruning old records failed; it will be retried in an hour')
    }
  }

  const start = () => {
    underWay ??= prune().finally(() => {
      underWay = undefined
    })
  }
  const timer = setInterval(start, intervalMs).unref()
  start()

  return {
    async close() {
      clearInterval(timer)
      closing.abort()
      await underWay
    },
  }
}
