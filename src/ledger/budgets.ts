import type Database from 'better-sqlite3'
import type { Budget, BudgetPeriod, BudgetScope, Bucket } from '../accounting/budget.ts'
import { batchRows, deleteInBatches } from './pruner.ts'
import {
  createReservations,
  type AttemptKey,
  type BucketState,
  type ReachedShare,
  type Recovered,
  type ReservationRequest,
  type ReservationResult,
  type Settlement,
} from './reservations.ts'
import { createWriteBehind } from './write-behind.ts'

/** What one subject has spent of a budget in one period. */
export interface BudgetWindow {
  budget: string
  /** Empty for a budget of the total. */
  subject: string
  window: string
  /** Picodollars: spent; held for calls in progress; the part of what is spent whose calls nobody saw end. */
  settled: bigint
  held: bigint
  assumed: bigint
  /** Milliseconds since the epoch. */
  resetsAt: number | null
}

/**
 * Budgets and what is spent of them. Settlements wait in memory for at most `flushMs` or until the next call; whoever holds
 * money releases it a little later than they could, never too early.
 */
export interface BudgetStore {
  load: () => Promise<Budget[]>
  /** Adds a budget or replaces the one of its name. One that counts otherwise than before begins afresh. */
  put: (budget: Budget, at: number) => Promise<void>
  /** Removes a budget with all that is known of its spending; false if there is none. */
  remove: (name: string) => Promise<boolean>
  /** The latest windows of a budget: of one subject, or of those that have spent most. */
  windows: (budget: string, subject: string | undefined, limit: number) => Promise<BudgetWindow[]>
  /** What is spent of these buckets; `fresh`: with what waits in memory, which otherwise counts as held. */
  states: (buckets: readonly Bucket[], fresh: boolean) => Promise<BucketState[]>
  /** Holds money in all buckets of an attempt, or in none. */
  reserve: (request: ReservationRequest) => Promise<ReservationResult>
  /** Never throws: what can't be written is retried, and held until then. */
  settle: (settlement: Settlement) => void
  settleEstimate: (attempt: AttemptKey) => Promise<void>
  recover: (sinceMs: number) => Promise<Recovered>
  /** Calls `listener` for every share of a limit that is reached; one listener at a time. */
  onReached: (listener: (reached: ReachedShare) => void) => void
  /** Deletes windows that ended, and those of tasks and sessions last used, before `beforeMs`. Resolves to how many. */
  prune: (beforeMs: number, signal?: AbortSignal) => Promise<number>
}

/** The store, and what the rest of the ledger needs of it. */
export interface OpenBudgets {
  store: BudgetStore
  /** Settles an attempt as part of the caller's transaction; returns a function to call when that is committed. */
  settleInside: (settlement: Settlement) => () => void
  /** Writes what is waiting; false if that fails. */
  flush: () => boolean
  close: () => boolean
}

interface BudgetRow {
  name: string
  scope: BudgetScope
  subject: string | null
  limit_picos: bigint
  period: BudgetPeriod
  is_hard: bigint
}

export interface BudgetStoreParts {
  flushMs: number
  maxBuffered: number
  onFailure: (error: unknown, retryMs: number) => void
  onLoss: () => void
}

export function openBudgets(database: Database.Database, parts: BudgetStoreParts): OpenBudgets {
  const reservations = createReservations(database)
  const selectAll = database.prepare<[], BudgetRow>('SELECT * FROM budgets ORDER BY created_at, name').safeIntegers()
  const selectOne = database.prepare<[string], BudgetRow>('SELECT * FROM budgets WHERE name = ?').safeIntegers()
  const upsert = database.prepare<[string, string, string | null, bigint, string, number, number]>(
    `INSERT INTO budgets (name, scope, subject, limit_picos, period, is_hard, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET limit_picos = excluded.limit_picos, is_hard = excluded.is_hard`,
  )
  const erase = database.prepare<[string]>('DELETE FROM budgets WHERE name = ?')
  const selectWindows = database
    .prepare<
      [string, string | null, string | null, number],
      Omit<BudgetWindow, 'resetsAt'> & { resetsAt: bigint | null }
    >(
      `SELECT budget, subject, period_window AS window, settled, held, assumed, resets_at AS resetsAt FROM budget_windows
       WHERE budget = ? AND (? IS NULL OR subject = ?) ORDER BY resets_at DESC, settled DESC LIMIT ?`,
    )
    .safeIntegers()
  const deleteOld = database.prepare<[number, number]>(
    `DELETE FROM budget_windows WHERE (budget, subject, period_window) IN (
       SELECT windows.budget, windows.subject, windows.period_window
       FROM budget_windows AS windows JOIN budgets ON budgets.name = windows.budget
       WHERE held = 0 AND (resets_at < ? OR (touched_at < ? AND
         (budgets.period = 'task' OR (budgets.scope = 'session' AND budgets.subject IS NULL))))
       LIMIT ${batchRows}
     )`,
  )
  let listener: (reached: ReachedShare) => void = () => undefined
  const tell = (reached: readonly ReachedShare[]) => {
    for (const each of reached) listener(each)
  }
  /** A reservation that is made together with the settlements that are waiting, and what came of it. */
  let joining: ReservationRequest | undefined
  let joined: ReservationResult | undefined
  const pending = createWriteBehind<Settlement>({
    ...parts,
    write(settlements) {
      if (joining === undefined) return tell(reservations.settle(settlements))
      const { reached, result } = reservations.settleAndReserve(settlements, joining)
      joined = result
      tell(reached)
    },
  })

  function reserve(request: ReservationRequest): ReservationResult {
    joining = request
    joined = undefined
    pending.flushIfHealthy()
    joining = undefined
    return joined ?? reservations.reserve(request)
  }

  const put = database.transaction((budget: Budget, at: number) => {
    const { name, scope, subject, limit, period, isHard } = budget
    const before = selectOne.get(name)
    const countsAlike = before?.scope === scope && before.subject === subject && before.period === period
    if (before !== undefined && !countsAlike) erase.run(name)
    upsert.run(name, scope, subject, limit, period, isHard ? 1 : 0, Math.round(at))
  })

  /** What is waiting counts for whoever looks. */
  const current = <Result>(read: () => Result): Result => {
    pending.flushIfHealthy()
    return read()
  }

  return {
    store: {
      load: async () => selectAll.all().map(budgetOf),
      put: async (budget, at) => put.immediate(budget, at),
      remove: async name => erase.run(name).changes > 0,
      windows: async (budget, subject, limit) =>
        current(() =>
          selectWindows
            .all(budget, subject ?? null, subject ?? null, limit)
            .map(row => ({ ...row, resetsAt: row.resetsAt === null ? null : Number(row.resetsAt) })),
        ),
      states: async (buckets, fresh) =>
        fresh ? current(() => reservations.states(buckets)) : reservations.states(buckets),
      reserve: async request => reserve(request),
      settle: pending.push,
      settleEstimate: async attempt => current(() => tell(reservations.settleEstimate(attempt))),
      recover: async sinceMs => current(() => reservations.recover(sinceMs)),
      onReached(next) {
        listener = next
      },
      prune: (beforeMs, signal) => deleteInBatches(() => deleteOld.run(beforeMs, beforeMs).changes, signal),
    },
    settleInside(settlement) {
      const reached = reservations.settleInside(settlement)
      return () => tell(reached)
    },
    flush: pending.flush,
    close: pending.close,
  }
}

function budgetOf({ name, scope, subject, limit_picos, period, is_hard }: BudgetRow): Budget {
  return { name, scope, subject, limit: limit_picos, period, isHard: is_hard === 1n }
}
