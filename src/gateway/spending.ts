import type { Logger } from 'pino'
import {
  bucketsOf,
  budgetText,
  concerns,
  shortageText,
  type Budget,
  type Bucket,
  type BudgetLeft,
  type Spender,
} from '../accounting/budget.ts'
import { budgetError } from '../accounting/budget-error.ts'
import type { Calendar } from '../accounting/calendar.ts'
import { picosOf } from '../accounting/money.ts'
import { outputTokensFor, worstCostOf, type CallBounds } from '../accounting/worst-case.ts'
import { asGatewayError, type GatewayError } from '../errors.ts'
import type { BudgetStore } from '../ledger/budgets.ts'
import { leftIn, tightestOf, type AttemptKey, type BucketState } from '../ledger/reservations.ts'
import type { Model } from '../providers/provider.ts'
import type { Allowance } from '../router/allowance.ts'

/** Keeps what requests spend within the budgets. Costs nothing where no budget concerns a request, nor a call that is free. */
export interface Spending {
  /** What hard budgets leave a spender; undefined where none concerns them. */
  allowanceFor: (query: AllowanceQuery) => Promise<Allowance | undefined>
  /**
   * Reserves what an attempt may cost, as much of it as is left. Undefined where nothing needs to be reserved. Throws
   * `budget_exceeded` or `budget_reserved` if even a short answer is not paid for.
   */
  reserve: (attempt: SpendingAttempt) => Promise<BudgetReservation | undefined>
}

export interface AllowanceQuery {
  spender: Spender
  models: () => readonly Model[]
  /** Whether what calls that have just ended held is released first; that costs a transaction. */
  fresh: boolean
}

export interface SpendingAttempt extends AttemptKey {
  spender: Spender
  model: Model
  bounds: CallBounds
}

/** Money that is held for one attempt until it is settled. */
export interface BudgetReservation {
  /** Output tokens of each choice that it pays for. */
  maxOutputTokens: number
  /** Budgets of which much is spent or held, for the caller. */
  warnings: readonly string[]
  /** `costUsd`: what the attempt cost; undefined where unknown, and then all that is held counts as spent. `isEstimate`: its provider will still say what it billed. */
  settle: (costUsd: number | undefined, isEstimate: boolean) => void
}

export interface SpendingParts {
  store: BudgetStore
  budgets: () => readonly Budget[]
  calendar: Calendar
  /** Milliseconds since the epoch. */
  now: () => number
  log: Pick<Logger, 'error'>
}

/** Per cent of a limit from which callers are warned. */
const warnedShare = 80n

export function createSpending({ store, budgets, calendar, now, log }: SpendingParts): Spending {
  const concerning = (spender: Spender) => budgets().filter(budget => concerns(budget, spender))
  const bucketsAt = (concerned: readonly Budget[], spender: Spender, model: Model): Bucket[] =>
    bucketsOf(concerned, spender, { model: model.id, provider: model.provider }, { calendar, now: now() })

  async function reserve({
    spender,
    model,
    bounds,
    ...attempt
  }: SpendingAttempt): Promise<BudgetReservation | undefined> {
    const concerned = concerning(spender)
    const { price } = model
    if (concerned.length === 0 || model.free) return undefined
    const buckets = bucketsAt(concerned, spender, model)
    if (buckets.length === 0) return undefined
    const isHard = buckets.some(({ budget }) => budget.isHard)
    // A hard budget was in the way of a model without a price when candidates were chosen, unless it was made since then.
    const most = price === undefined ? 0n : worstCostOf(price, bounds, bounds.outputTokens)
    if (price !== undefined && most === 0n) return undefined
    const least = price === undefined ? 0n : worstCostOf(price, bounds, bounds.leastOutputTokens)
    const result = await store.reserve({ ...attempt, buckets, most, least, at: now() }).catch((error: unknown) => {
      // What only warns must not stand in the way.
      if (isHard) throw error
      log.error({ err: error }, 'soft budgets do not count a request: nothing could be reserved')
      return undefined
    })
    if (result === undefined) return undefined
    if ('refused' in result) throw shortage(leftOf(result.refused), least)
    const { granted, states } = result
    return {
      maxOutputTokens:
        price === undefined || granted === most ? bounds.outputTokens : outputTokensFor(price, bounds, granted),
      warnings: states.filter(isWorthWarning).map(warning),
      settle(costUsd, isEstimate) {
        // What nobody can tell the cost of counts as all that was held for it.
        const cost = costUsd === undefined ? granted : picosOf(Math.max(0, costUsd))
        store.settle({ ...attempt, cost, isEstimate })
      },
    }
  }

  function shortage(left: BudgetLeft, needed: bigint): GatewayError {
    const isReserved = needed <= left.left + left.held
    return budgetError({ isReserved, resetsAt: left.resetsAt }, shortageText(left, needed), now())
  }

  return {
    async allowanceFor({ spender, models, fresh }) {
      const hard = concerning(spender).filter(({ isHard }) => isHard)
      if (hard.length === 0) return undefined
      const isPlaced = ({ scope }: Budget) => scope === 'model' || scope === 'provider'
      const placed = hard.filter(isPlaced)
      const common = hard.filter(budget => !isPlaced(budget))
      const anywhere = bucketsOf(common, spender, { model: '', provider: '' }, { calendar, now: now() })
      const byModel = new Map(
        placed.length === 0 ? [] : models().map(model => [model, bucketsAt(placed, spender, model)] as const),
      )
      const distinct = new Map([...anywhere, ...[...byModel.values()].flat()].map(bucket => [keyOf(bucket), bucket]))
      const states = new Map(
        (await store.states([...distinct.values()], fresh)).map(state => [keyOf(state.bucket), state] as const),
      )
      return {
        leftFor(model) {
          const tightest = tightestOf(
            [...anywhere, ...(byModel.get(model) ?? [])].flatMap(bucket => states.get(keyOf(bucket)) ?? []),
          )
          return tightest === undefined ? undefined : leftOf(tightest)
        },
      }
    },
    async reserve(attempt) {
      try {
        return await reserve(attempt)
      } catch (error) {
        throw asGatewayError(error)
      }
    },
  }
}

function keyOf({ budget, subject }: Bucket): string {
  return JSON.stringify([budget.name, subject])
}

function leftOf(state: BucketState): BudgetLeft {
  const { budget, subject, resetsAt } = state.bucket
  return { budget, subject, resetsAt, left: leftIn(state), held: state.held }
}

function isWorthWarning({ bucket, settled, held }: BucketState): boolean {
  return (settled + held) * 100n >= bucket.budget.limit * warnedShare
}

function warning({ bucket, settled, held }: BucketState): string {
  const { limit } = bucket.budget
  const share = limit === 0n ? 'over its limit' : `at ${((settled + held) * 100n) / limit} %`
  const when = bucket.resetsAt === null ? '' : ` until ${new Date(bucket.resetsAt).toISOString()}`
  return `${budgetText(bucket)} is ${share}${when}`
}
