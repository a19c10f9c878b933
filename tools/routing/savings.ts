import { seededRandom } from '../../src/router/chance.ts'
import { interpolateHull, upperHull, type Point } from '../../src/router/hull.ts'
import { blendedPrices, costOf } from './blended-prices.ts'
import { quantile, resample, type Bound } from './bootstrap.ts'
import type { OutcomeRow } from './outcomes.ts'
import { modelsOf } from './product.ts'
import { strongerOf, type Trial } from './two-model-gates.ts'

/** What was spent and achieved, beside always asking the best single model. */
export interface SavingsPoint {
  /** Share of its cost. */
  cost: number
  /** Share of its mean score, with its interval. */
  kept: Bound
}

export interface Savings {
  /** The model that is best in training. */
  best: string
  /** The router at rising prices of money, from the cheapest to the most expensive. */
  curve: SavingsPoint[]
  /** Each single model. */
  singles: (SavingsPoint & { name: string })[]
  /** Cost saved, 0..1, where so much of the best model's quality is kept. */
  savedAt: { kept: number; router: Bound; zeroRouter: Bound; lead: Bound }[]
}

/** Shares of the best model's quality that savings are reported at. */
const keptShares = [0.95, 0.99]
const curvePoints = 12
const replicates = 400
/** Prices of money: score per cost of one call of the best model. */
const prices = [0, ...Array.from({ length: 120 }, (_, step) => 0.002 * 1.06 ** step)]

/** Row by row, what one policy scored and cost. */
interface Policy {
  scores: Float64Array
  costs: Float64Array
}

/**
 * For each price of money the model with the highest predicted quality less predicted cost, by the predictions of `decide()`, against
 * always asking the best single model. Where a table tells no tokens, every call of a model costs its blended price.
 */
export function savingsOf(trials: readonly Trial[]): Savings {
  const rows = trials.flatMap(({ test }) => test)
  const names = Object.keys(rows[0]!.outcomes)
  const best = strongerOf(trials.flatMap(({ train }) => train))
  const predictions = trials.flatMap(trial => predictionsOf(trial, names))
  const unit = mean(rows.map(row => costOf(row, best)))
  const policyOf = (choose: (row: number) => string): Policy => ({
    scores: Float64Array.from(rows, (row, index) => row.outcomes[choose(index)]!.score),
    costs: Float64Array.from(rows, (row, index) => costOf(row, choose(index))),
  })
  const router = prices.map(price =>
    policyOf(index => {
      const { qualities, costs } = predictions[index]!
      let first = 0
      for (let model = 1; model < names.length; model++) {
        const value = (place: number) => qualities[place]! - (price / unit) * costs[place]!
        if (value(model) > value(first)) first = model
      }
      return names[first]!
    }),
  )
  const singles = names.map(name => policyOf(() => name))
  const bestPolicy = singles[names.indexOf(best)]!
  const samples = replicated(rows.length)
  const savedBy = (policies: readonly Policy[], kept: number, weights?: Uint8Array) => {
    const target = pointOf(bestPolicy, weights)
    const cost = interpolateHull(upperHull(policies.map(policy => pointOf(policy, weights))), kept * target.quality)
    return 1 - Math.min(1, cost / target.cost)
  }
  const relative = (policy: Policy): SavingsPoint => {
    const kept = (weights?: Uint8Array) => pointOf(policy, weights).quality / pointOf(bestPolicy, weights).quality
    return { cost: pointOf(policy).cost / pointOf(bestPolicy).cost, kept: boundOf(kept(), samples.map(kept)) }
  }
  return {
    best,
    curve: spacedAlong(router, policy => pointOf(policy).cost).map(relative),
    singles: singles.map((policy, index) => ({ name: names[index]!, ...relative(policy) })),
    savedAt: keptShares.map(kept => {
      const own = samples.map(weights => savedBy(router, kept, weights))
      const zero = samples.map(weights => savedBy(singles, kept, weights))
      const [routed, mixed] = [savedBy(router, kept), savedBy(singles, kept)]
      return {
        kept,
        router: boundOf(routed, own),
        zeroRouter: boundOf(mixed, zero),
        lead: boundOf(
          routed - mixed,
          own.map((saved, index) => saved - zero[index]!),
        ),
      }
    }),
  }
}

/** What the product expects of each of `names` for each row of a trial: quality, and cost as `costOf` will count it. */
function predictionsOf({ test, product }: Trial, names: readonly string[]) {
  const models = modelsOf(names, blendedPrices)
  const byKind = new Map<string, { qualities: number[]; costs: number[] }>()
  const predict = (row: OutcomeRow) => {
    const question = row.prompt === undefined ? { kind: row.category } : { text: row.prompt }
    const { candidates } = product.decide(question, models)
    const expected = new Map(candidates.map(candidate => [candidate.name, candidate]))
    return {
      qualities: names.map(name => expected.get(name)!.quality),
      costs: names.map(name => (tellsCost(row) ? (expected.get(name)!.costUsd ?? 0) : costOf(row, name))),
    }
  }
  return test.map(row => {
    if (row.prompt !== undefined) return predict(row)
    const known = byKind.get(row.category ?? '') ?? predict(row)
    byKind.set(row.category ?? '', known)
    return known
  })
}

function tellsCost({ outcomes }: OutcomeRow): boolean {
  return Object.values(outcomes).some(({ cost, tokens }) => cost !== undefined || tokens !== undefined)
}

function pointOf({ scores, costs }: Policy, weights?: Uint8Array): Point {
  let quality = 0
  let cost = 0
  for (let row = 0; row < scores.length; row++) {
    const weight = weights === undefined ? 1 : weights[row]!
    quality += weight * scores[row]!
    cost += weight * costs[row]!
  }
  return { quality: quality / scores.length, cost: cost / scores.length }
}

function replicated(size: number): Uint8Array[] {
  const random = seededRandom(17)
  return Array.from({ length: replicates }, () => resample(size, random))
}

function boundOf(value: number, samples: readonly number[]): Bound {
  return { value, low: quantile(samples, 0.025), high: quantile(samples, 0.975) }
}

/** About a dozen of the policies, as evenly spaced in cost as they allow, from the cheapest to the most expensive. */
function spacedAlong(policies: readonly Policy[], costOfPolicy: (policy: Policy) => number): Policy[] {
  const sorted = policies.map(policy => ({ policy, cost: costOfPolicy(policy) })).sort((a, b) => a.cost - b.cost)
  const [least, most] = [sorted[0]!.cost, sorted.at(-1)!.cost]
  const wanted = Array.from({ length: curvePoints }, (_, index) => least + ((most - least) * index) / (curvePoints - 1))
  const nearest = wanted.map(cost =>
    sorted.reduce((a, b) => (Math.abs(b.cost - cost) < Math.abs(a.cost - cost) ? b : a)),
  )
  return [...new Set(nearest)].map(({ policy }) => policy)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
