import { listedCostOf, type Price } from '../accounting/pricing.ts'
import type { RequestRecord } from '../ledger/record.ts'
import type { Decision } from '../router/decide.ts'
import { noUsage, type Usage } from '../wire/usage.ts'

/** A model that costs are compared with. */
export interface ReferenceModel {
  model: string
  price: Price
}

export interface ComparedRequest {
  endpoint: string
  /** Absent where nothing was decided. */
  decision: Decision | undefined
  /** Usage of the attempt whose answer went to the caller, as far as it got. */
  answer: Usage | undefined
  named: ReferenceModel | undefined
}

/**
 * What the tokens of the answer would have cost on the reference model: the one that the operator names or, without one, the
 * most expensive candidate that was good enough. A request without an answer would have cost nothing, so that what its attempts
 * cost counts against what was saved elsewhere.
 */
export function referenceCostOf({ endpoint, decision, answer, named }: ComparedRequest): RequestRecord['reference'] {
  if (decision === undefined || endpoint === 'benchmark') return undefined
  const reference = named ?? mostExpensive(decision)
  if (reference === undefined) return undefined
  // Without routing there would be no judge.
  const isUnneeded = answer === undefined || answer === noUsage || endpoint === 'judge'
  const costUsd = isUnneeded ? 0 : listedCostOf(reference.price, answer, decision.at)
  return costUsd === undefined ? undefined : { model: reference.model, costUsd }
}

function mostExpensive({ candidates, ranked }: Decision): ReferenceModel | undefined {
  let found = -1
  for (const [place, { adequate, costUsd }] of candidates.entries()) {
    if (!adequate || costUsd === null || ranked[place]?.price === undefined) continue
    if (found < 0 || costUsd > candidates[found]!.costUsd!) found = place
  }
  const model = ranked[found]
  return model?.price === undefined ? undefined : { model: model.id, price: model.price }
}
