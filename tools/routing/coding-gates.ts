import { seededRandom } from '../../src/router/chance.ts'
import {
  estimate,
  initialPriorTrust,
  observe,
  reconsider,
  trustIn,
  type Belief,
  type Prior,
} from '../../src/router/beliefs.ts'
import { blendedPrices } from './blended-prices.ts'
import { meanBound, type Bound } from './bootstrap.ts'
import { interpolateHull, upperHull, type Point } from '../../src/router/hull.ts'
import type { OutcomeRow } from './outcomes.ts'
import type { Split } from './splits.ts'

/** The published figures of this table are for a test set of this many rows; costs are reported for as many. */
const publishedRows = 2919
const priorStrength = 20

export interface CodingGate {
  mean: Bound
  /** USD for 2,919 tasks at a mean score of at least 0.5014; infinite when no point reaches it. */
  costAtTarget: number
  totalCost: number
  aiq: number
  baselines: { name: string; mean: number; lead: Bound; costAtTarget: number; aiq: number }[]
}

/** One category table of scores and costs, and every price of money: what quality costs. */
export function codingGate(splits: readonly Split[]): CodingGate {
  const rows = splits.flatMap(split => split.test)
  const models = Object.keys(rows[0]!.outcomes)
  const tables = splits.map(({ train, test }) => ({ table: categoryTable(train, models), test }))
  const point = (scores: readonly number[], costs: readonly number[]): Point => ({
    cost: sum(costs),
    quality: average(scores),
  })
  const routed = (price: number) => {
    const scores: number[] = []
    const costs: number[] = []
    for (const { table, test } of tables) {
      // A category's choice is the same for all its rows.
      const choices = new Map<string, string>()
      for (const row of test) {
        const category = row.category ?? ''
        const value = (model: string) => cell(table, row, model).score - price * cell(table, row, model).cost
        const choice = choices.get(category) ?? best(models, value)
        choices.set(category, choice)
        scores.push(row.outcomes[choice]!.score)
        costs.push(costOf(row, choice))
      }
    }
    return { scores, costs }
  }
  const sweep = [0, ...Array.from({ length: 300 }, (_, step) => 0.2 * 1.05 ** step)].map(price => routed(price))
  const router = sweep[0]!
  const singles = models.map(model => ({
    name: model,
    scores: rows.map(row => row.outcomes[model]!.score),
    costs: rows.map(row => costOf(row, model)),
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
      scores: rows.map(row => row.outcomes[models[Math.floor(random() * models.length)]!]!.score),
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
      scores: rows.map(row => Math.max(...models.map(model => row.outcomes[model]!.score))),
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

/**
 * The table as a stream: only the chosen model's score is seen, priors come from the other folds (`right`) or from the other
 * folds with the models' columns permuted. Greedy on the estimate that also serves requests.
 */
export function onlineGate(splits: readonly Split[], right: boolean): { mean: Bound; repetitions: number[] } {
  const repetitions: number[][] = []
  for (let seed = 0; seed < 3; seed++) {
    const scores = splits.flatMap((split, fold) => stream(split, right, seededRandom(1 + fold + 10 * seed)))
    repetitions.push(scores)
  }
  const perRow = repetitions[0]!.map((_, row) => average(repetitions.map(scores => scores[row]!)))
  return { mean: meanBound(perRow), repetitions: repetitions.map(average) }
}

function stream({ train, test }: Split, right: boolean, random: () => number): number[] {
  const models = Object.keys(test[0]!.outcomes)
  const names = right ? models : shuffled(models, random)
  const table = categoryTable(train, models)
  const beliefs = new Map<string, Belief>()
  let priorTrust = initialPriorTrust
  return shuffled(test, random).map(row => {
    const base = average(models.map(model => cell(table, row, model).score))
    const priors = new Map(
      models.map((model, at): [string, Prior] => [
        model,
        { rate: cell(table, row, names[at]!).score, base, strength: priorStrength },
      ]),
    )
    const key = (model: string) => `${model} ${row.category}`
    const trust = trustIn(priorTrust)
    const chosen = best(models, model => estimate(beliefs.get(key(model)), priors.get(model)!, trust, 0).mean)
    const { score } = row.outcomes[chosen]!
    priorTrust = reconsider(priorTrust, priors.get(chosen)!, score)
    beliefs.set(key(chosen), observe(beliefs.get(key(chosen)), score, 1, 0))
    return score
  })
}

interface Cell {
  score: number
  cost: number
}

/** Mean score and cost by category and model, shrunk to the model's own mean by ten rows. */
function categoryTable(rows: readonly OutcomeRow[], models: readonly string[]): ReadonlyMap<string, Cell> {
  const table = new Map<string, Cell>()
  const byCategory = Map.groupBy(rows, row => row.category ?? '')
  for (const model of models) {
    const overall = {
      score: average(rows.map(row => row.outcomes[model]!.score)),
      cost: average(rows.map(row => costOf(row, model))),
    }
    table.set(` ${model}`, overall)
    for (const [category, members] of byCategory) {
      table.set(`${category} ${model}`, {
        score: (sum(members.map(row => row.outcomes[model]!.score)) + 10 * overall.score) / (members.length + 10),
        cost: (sum(members.map(row => costOf(row, model))) + 10 * overall.cost) / (members.length + 10),
      })
    }
  }
  return table
}

function cell(table: ReadonlyMap<string, Cell>, row: OutcomeRow, model: string): Cell {
  return table.get(`${row.category ?? ''} ${model}`) ?? table.get(` ${model}`)!
}

function costOf(row: OutcomeRow, model: string): number {
  const outcome = row.outcomes[model]!
  return outcome.cost ?? ((outcome.tokens ?? 0) * (blendedPrices[model] ?? 0)) / 1e6
}

function best(models: readonly string[], value: (model: string) => number): string {
  return models.reduce((a, b) => (value(b) > value(a) ? b : a))
}

function meanHeight(hull: readonly Point[], [from, to]: [number, number]): number {
  const steps = 200
  let total = 0
  for (let step = 0; step <= steps; step++) {
    const cost = from + ((to - from) * step) / steps
    total += heightAt(hull, cost)
  }
  return total / (steps + 1)
}

function heightAt(hull: readonly Point[], cost: number): number {
  const right = hull.findIndex(point => point.cost >= cost)
  if (right < 0) return hull.at(-1)!.quality
  if (right === 0) return hull[0]!.cost === cost ? hull[0]!.quality : 0
  const a = hull[right - 1]!
  const b = hull[right]!
  return a.quality + ((b.quality - a.quality) * (cost - a.cost)) / (b.cost - a.cost)
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values]
  for (let at = result.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[result[at], result[other]] = [result[other]!, result[at]!]
  }
  return result
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function average(values: readonly number[]): number {
  return sum(values) / Math.max(1, values.length)
}
