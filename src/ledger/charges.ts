import type Database from 'better-sqlite3'
import { picosOf, roundUsd, sumUsd } from '../accounting/money.ts'
import { reportedCostOf } from '../accounting/pricing.ts'
import type { Usage } from '../wire/usage.ts'
import type { OpenBudgets } from './budgets.ts'
import { tokenCells, tokenNames } from './row.ts'

/** An attempt whose charge is an estimate, and by which its provider knows it. */
export interface EstimatedAttempt {
  requestId: string
  ordinal: number
  /** Name of the caller's API key. */
  keyId: string
  provider: string
  generationId: string
}

/** Charges that are corrected after their request was recorded. */
export interface Charges {
  /** Estimated attempts since `sinceMs` that have an id by which their provider can be asked; the oldest first. */
  estimated: (sinceMs: number, limit: number) => EstimatedAttempt[]
  /**
   * Replaces an estimate by what the provider billed, in the attempt and in its request. False if there is no such estimate:
   * the same correction twice changes nothing.
   */
  correct: (attempt: Pick<EstimatedAttempt, 'requestId' | 'ordinal'>, bill: Usage) => boolean
}

interface Consumed {
  usage_estimated: 0 | 1
  cost_usd: number | null
  energy_usd: number
  byok_cost_usd: number
}

const columns: readonly string[] = [...tokenNames, 'usage_estimated', 'cost_usd', 'byok_cost_usd']
const assignments = columns.map(column => `${column} = @${column}`).join(', ')

/** Corrections also settle what `budgets` still hold for an attempt. */
export function createCharges(database: Database.Database, budgets: Pick<OpenBudgets, 'settleInside'>): Charges {
  const isEstimated = 'usage_estimated = 1 AND generation_id IS NOT NULL'
  const selectEstimated = database.prepare<[number, number], EstimatedAttempt>(
    `SELECT requests.id AS requestId, ordinal, requests.key_id AS keyId, attempts.provider AS provider, generation_id AS generationId
     FROM attempts INDEXED BY attempts_uncorrected JOIN requests ON seq = request_seq
     WHERE attempts.usage_estimated = 1 AND generation_id IS NOT NULL AND started_at >= ? ORDER BY started_at LIMIT ?`,
  )
  const selectAttempt = database.prepare<[string, number], { request_seq: number; energy_usd: number }>(
    `SELECT request_seq, energy_usd FROM attempts
     WHERE request_seq = (SELECT seq FROM requests WHERE id = ?) AND ordinal = ? AND ${isEstimated}`,
  )
  const selectAttempts = database.prepare<[number], Consumed & Record<string, number>>(
    `SELECT ${[...columns, 'energy_usd'].join(', ')} FROM attempts WHERE request_seq = ?`,
  )
  const updateAttempt = database.prepare(
    `UPDATE attempts SET ${assignments}, cost_source = 'reported' WHERE request_seq = @request_seq AND ordinal = @ordinal`,
  )
  const updateRequest = database.prepare(`UPDATE requests SET ${assignments} WHERE seq = @request_seq`)

  const correct = database.transaction<(...args: Parameters<Charges['correct']>) => (() => void) | undefined>(
    ({ requestId, ordinal }, bill) => {
      const found = selectAttempt.get(requestId, ordinal)
      const charge = reportedCostOf(bill)
      if (found === undefined || charge === undefined) return undefined
      const { request_seq, energy_usd } = found
      updateAttempt.run({
        request_seq,
        ordinal,
        ...tokenCells(bill),
        usage_estimated: 0,
        cost_usd: roundUsd(charge + energy_usd),
        byok_cost_usd: bill.byokCostUsd ?? 0,
      })
      updateRequest.run({ request_seq, ...totalsOf(selectAttempts.all(request_seq)) })
      return budgets.settleInside({ requestId, ordinal, cost: picosOf(charge), isEstimate: false })
    },
  )

  return {
    estimated: (sinceMs, limit) => selectEstimated.all(sinceMs, limit),
    correct(attempt, bill) {
      const committed = correct.immediate(attempt, bill)
      committed?.()
      return committed !== undefined
    },
  }
}

/** A request's columns from those of its attempts. */
function totalsOf(attempts: readonly (Consumed & Record<string, number>)[]) {
  const costs = attempts.flatMap(({ cost_usd: cost }) => cost ?? [])
  return {
    ...Object.fromEntries(tokenNames.map(name => [name, attempts.reduce((sum, each) => sum + each[name]!, 0)])),
    usage_estimated: attempts.some(each => each.usage_estimated === 1) ? 1 : 0,
    cost_usd: costs.length === attempts.length ? sumUsd(costs) : null,
    byok_cost_usd: sumUsd(attempts.map(each => each.byok_cost_usd)),
  }
}
