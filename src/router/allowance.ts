import { shortageText, type BudgetLeft } from '../accounting/budget.ts'
import { worstCostOf } from '../accounting/worst-case.ts'
import type { Model } from '../providers/provider.ts'
import { callBounds } from './call-bounds.ts'
import type { Exclusion } from './filter.ts'
import type { Measured } from './measure.ts'

/** What hard budgets leave for a request at the time of its decision. */
export interface Allowance {
  /** The budget with the least left for a call of `model`; undefined where none applies. */
  leftFor: (model: Model) => BudgetLeft | undefined
}

/** Why a call of `model` cannot be paid for, even with a short answer; `promptTokens`: expected, in the model's own tokens. */
export function unaffordable(
  allowance: Allowance | undefined,
  model: Model,
  measured: Measured,
  promptTokens: number,
): Exclusion | undefined {
  if (allowance === undefined || model.free) return undefined
  const left = allowance.leftFor(model)
  if (left === undefined) return undefined
  const unbounded =
    model.price === undefined
      ? 'has no known price'
      : measured.nonChat === 'media'
        ? 'does not say beforehand what this costs'
        : undefined
  if (model.price === undefined || unbounded !== undefined) {
    return { code: 'over_budget', reason: `${unbounded}, and the budget '${left.budget.name}' is a hard one` }
  }
  const bounds = callBounds(model, measured, promptTokens)
  const needed = worstCostOf(model.price, bounds, bounds.leastOutputTokens)
  if (needed <= left.left) return undefined
  return {
    code: needed <= left.left + left.held ? 'budget_reserved' : 'over_budget',
    reason: shortageText(left, needed),
    ...(left.resetsAt !== null && { until: left.resetsAt }),
  }
}
