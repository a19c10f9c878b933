import type { Logger } from 'pino'
import type { EstimatedAttempt } from '../ledger/charges.ts'
import type { BudgetStore } from '../ledger/budgets.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { AttemptRecord } from '../ledger/record.ts'
import type { CredentialOf } from './credentials.ts'
import type { Provider } from '../providers/provider.ts'

/** Replaces estimated charges by what the provider says it billed, in the background. */
export interface Corrections {
  /** Whether the provider of an attempt will be asked what it billed. */
  canCorrect(attempt: AttemptRecord): boolean
  /** Takes the attempts of a request that was passed to the ledger; most need no correction. */
  add(request: { requestId: string; keyId: string }, attempts: readonly AttemptRecord[]): void
  /** Gives up what is waiting; the next start takes it up again. */
  close(): Promise<void>
}

export interface CorrectionsParts {
  ledger: Pick<Ledger, 'correct' | 'estimated'> & { budgets: Pick<BudgetStore, 'settleEstimate'> }
  /** How to ask a provider, by name; undefined if it cannot be asked. */
  billOf: (provider: string) => Provider['billOf']
  credentialOf: CredentialOf
  /** Milliseconds since the epoch. */
  now: () => number
  log: Pick<Logger, 'warn'>
  /** Waited before each try. */
  delaysMs?: readonly number[]
}

/** Bills become readable some seconds after their call. */
const defaultDelaysMs = [1_000, 4_000, 15_000, 60_000, 300_000]
/** Older estimates stay as they are. */
export const maxCorrectionAgeMs = 3_600_000
const maxWaiting = 1_000
const askMs = 10_000

interface Waiting extends EstimatedAttempt {
  dueAt: number
  tries: number
}

/** Asks for one bill at a time, so that a burst of aborted requests is no burst of questions. */
export function startCorrections(parts: CorrectionsParts): Corrections {
  const { ledger, billOf, credentialOf, now, log, delaysMs = defaultDelaysMs } = parts
  const closing = new AbortController()
  let waiting: Waiting[] = []
  let timer: NodeJS.Timeout | undefined
  let underWay: Promise<void> | undefined

  function wait(attempt: EstimatedAttempt, tries = 0): void {
    if (closing.signal.aborted) return
    const delayMs = delaysMs[tries]
    if (delayMs === undefined || waiting.length >= maxWaiting) return void giveUp(attempt)
    waiting.push({ ...attempt, tries, dueAt: performance.now() + delayMs })
    schedule()
  }

  /** The estimate stays, and what budgets held beyond it is released. */
  async function giveUp(attempt: EstimatedAttempt): Promise<void> {
    try {
      await ledger.budgets.settleEstimate(attempt)
    } catch (err) {
      log.warn({ err }, 'cannot release what budgets hold for a request')
    }
  }

  function schedule(): void {
    if (underWay !== undefined || waiting.length === 0 || closing.signal.aborted) return
    clearTimeout(timer)
    const dueMs = Math.min(...waiting.map(({ dueAt }) => dueAt)) - performance.now()
    timer = setTimeout(run, Math.max(0, dueMs)).unref()
  }

  function run(): void {
    underWay ??= correctDue().finally(() => {
      underWay = undefined
      schedule()
    })
  }

  async function correctDue(): Promise<void> {
    const due = waiting.filter(({ dueAt }) => dueAt <= performance.now())
    waiting = waiting.filter(each => !due.includes(each))
    for (const each of due) {
      if (closing.signal.aborted) return
      if (!(await corrected(each))) wait(each, each.tries + 1)
    }
  }

  async function corrected(attempt: EstimatedAttempt): Promise<boolean> {
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(askMs)])
      const bill = await billOf(attempt.provider)?.(attempt.generationId, {
        signal,
        credential: credentialOf(attempt.keyId, attempt.provider),
      })
      return bill !== undefined && (await ledger.correct(attempt, bill))
    } catch (err) {
      if (!closing.signal.aborted) log.warn({ err }, `cannot ask ${attempt.provider} what a request cost`)
      return false
    }
  }

  async function resume(): Promise<void> {
    try {
      for (const each of await ledger.estimated(now() - maxCorrectionAgeMs, maxWaiting)) wait(each)
    } catch (err) {
      if (!closing.signal.aborted) log.warn({ err }, 'cannot read which charges are estimates')
    }
  }

  const resumed = resume()
  const canCorrect = ({ provider, usage, generationId }: AttemptRecord) =>
    usage.estimated === true && generationId !== undefined && billOf(provider) !== undefined

  return {
    canCorrect,
    add({ requestId, keyId }, attempts) {
      for (const [ordinal, attempt] of attempts.entries()) {
        const { provider, generationId } = attempt
        if (generationId !== undefined && canCorrect(attempt))
          wait({ requestId, ordinal, keyId, provider, generationId })
      }
    },
    async close() {
      closing.abort()
      clearTimeout(timer)
      await resumed
      await underWay
    },
  }
}
