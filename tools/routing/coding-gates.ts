import { seededRandom } from '../../src/router/chance.ts'
import { learnOutcome } from '../../src/router/evidence.ts'
import { interpolateHull, upperHull, type Point } from '../../src/router/hull.ts'
import type { Weights } from '../../src/router/weights.ts'
import { blendedPrices, costOf } from './blended-prices.ts'
import { meanBound, type Bound } from './bootstrap.ts'
import { meanHeight } from './hull-height.ts'
import type { OutcomeRow } from './outcomes.ts'
import { modelsOf, productOf, type Product } from './product.ts'
import type { Trial } from './two-model-gates.ts'

/** The published figures of this table are for a test set of this many rows; costs are reported for as many. */
const publishedRows = 2919

export interface CodingGate {
  mean: Bound
  /** USD for 2,919 tasks at a mean score of at least 0.5014; infinite when no point reaches it. */
  costAtTarget: number
  totalCost: number
  aiq: number
  baselines: { name: string; mean: number; lead: Bound; costAtTarget: number; aiq: number }[]
}

/** Predicted quality less predicted cost times the price of money, at every price: what quality costs. */
export function codingGate(trials: readonly Trial[]): CodingGate {
  const rows = trials.flatMap(trial => trial.test)
  const names = Object.keys(rows[0]!.outcomes)
  const predictions = trials.map(({ product, test }) => ({ predicted: predictedByKind(product, test, names), test }))
  const point = (scores: readonly number[], costs: readonly number[]): Point => ({
    cost: sum(costs),
    quality: average(scores),
  })
  const routed = (price: number) => {
    const scores: number[] = []
    const costs: number[] = []
    for (const { predicted, test } of predictions) {
      for (const row of test) {
        const expected = predicted.get(row.category)!
        const choice = best(names, name => expected.get(name)!.quality - price * expected.get(name)!.cost)
        scores.push(row.outcomes[choice]!.score)
        costs.push(costOf(row, choice))
      }
    }
    return { scores, costs }
  }
  const sweep = [0, ...Array.from({ length: 300 }, (_, step) => 0.2 * 1.05 ** step)].map(price => routed(price))
  const router = sweep[0]!
  const singles = names.map(name => ({
    name,
    scores: rows.map(row => row.outcomes[name]!.score),
    costs: rows.map(row => costOf(row, name)),
  }))
  const bestSingle = singles.reduce((a, b) => (average(b.scores) > average(a.scores) ? b : a))
  const scale = publishedRows / rows.length
  const range = singles.map(single => sum(single.costs))
  const span: [number, number] = [Math.min(...range), Math.max(...range)]
  const routerHull = upperHull(sweep.map(({ scores, costs }) => point(scores, costs)))
  const zeroHull = upperHull(singles.map(({ scores, costs }) => point(scores, costs)))
  const random = seededRandom(3)
  const baselines = [
    {
      name: 'random',
      scores: rows.map(row => row.outcomes[names[Math.floor(random() * names.length)]!]!.score),
      hull: zeroHull,
    },
    {
      name: `best_single (${bestSingle.name})`,
      scores: bestSingle.scores,
      hull: upperHull([point(bestSingle.scores, bestSingle.costs)]),
    },
    { name: 'zero_router', scores: bestSingle.scores, hull: zeroHull },
    {
      name: 'oracle',
      scores: rows.map(row => Math.max(...names.map(name => row.outcomes[name]!.score))),
      hull: undefined,
    },
  ]
  return {
    mean: meanBound(router.scores),
    costAtTarget: scale * interpolateHull(routerHull, 0.5014),
    totalCost: scale * sum(router.costs),
    aiq: meanHeight(routerHull, span),
    baselines: baselines.map(({ name, scores, hull }) => ({
      name,
      mean: average(scores),
      lead: meanBound(router.scores.map((score, row) => score - scores[row]!)),
      costAtTarget: hull === undefined ? Infinity : scale * interpolateHull(hull, 0.5014),
      aiq: hull === undefined ? Number.NaN : meanHeight(hull, span),
    })),
  }
}

/** A stream of rows, and weights that were trained on others: with the right names, or with the models' names exchanged. */
export interface Stream {
  test: readonly OutcomeRow[]
  weights: Weights
}

/**
 * The table as a stream: the product answers each row with the model it predicts to be best, and only that model's score is
 * told to it, as feedback. Every stream is run with three orders.
 */
export function onlineGate(streams: readonly Stream[]): { mean: Bound; repetitions: number[] } {
  const repetitions = [0, 1, 2].map(seed =>
    streams.flatMap((stream, fold) => runStream(stream, seededRandom(1 + fold + 10 * seed))),
  )
  const perRow = repetitions[0]!.map((_, row) => average(repetitions.map(scores => scores[row]!)))
  return { mean: meanBound(perRow), repetitions: repetitions.map(average) }
}

/** The rows with the outcomes of each model under another's name. */
export function exchangeNames(rows: readonly OutcomeRow[], seed: number): OutcomeRow[] {
  const names = Object.keys(rows[0]?.outcomes ?? {})
  const others = shuffled(names, seededRandom(seed))
  return rows.map(row => ({
    ...row,
    outcomes: Object.fromEntries(names.map((name, index) => [others[index]!, row.outcomes[name]!])),
  }))
}

function runStream({ test, weights }: Stream, random: () => number): number[] {
  const { knowledge, decide } = productOf(weights)
  const names = Object.keys(test[0]!.outcomes)
  const models = modelsOf(names, blendedPrices)
  return shuffled(test, random).map(row => {
    const { candidates, measured } = decide({ kind: row.category }, models)
    const chosen = candidates.reduce((a, b) => (b.quality > a.quality ? b : a))
    const model = models.find(({ id }) => id === chosen.model)!
    const { score } = row.outcomes[model.name]!
    const { key, prior } = knowledge.abilityOf(model)
    learnOutcome(
      knowledge.evidence,
      { model: key, categories: measured.categories, signal: 'feedback', score, prior },
      0,
    )
    return score
  })
}

/** What the product expects of every model at each kind of task of `rows`. */
function predictedByKind(product: Product, rows: readonly OutcomeRow[], names: readonly string[]) {
  const models = modelsOf(names, blendedPrices)
  return new Map(
    [...new Set(rows.map(row => row.category))].map(kind => {
      const { candidates } = product.decide({ kind }, models)
      return [kind, new Map(candidates.map(({ name, quality, costUsd }) => [name, { quality, cost: costUsd ?? 0 }]))]
    }),
  )
}

function best(names: readonly string[], value: (name: string) => number): string {
  return names.reduce((a, b) => (value(b) > value(a) ? b : a))
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values]
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    ;[result[index], result[other]] = [result[other]!, result[index]!]
  }
  return result
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function average(values: readonly number[]): number {
  return sum(values) / Math.max(1, values.length)
}
