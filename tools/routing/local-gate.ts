import { createVectorMaker } from '../../src/router/text/vector.ts'
import { seededRandom } from '../../src/router/chance.ts'
import { meanBound, type Bound } from './bootstrap.ts'
import type { OutcomeRow } from './outcomes.ts'
import { score } from './ridge.ts'
import type { Split } from './splits.ts'
import { fitScores, readAll, textBasis } from './text-scores.ts'

export interface LocalGate {
  mean: Bound
  /** Share of prompts whose category was found, 0..1. */
  categoryAccuracy: number
  baselines: { name: string; mean: number; lead: Bound }[]
}

/** Many models of one price: the share of prompts answered well by the model the router would take. */
export function localGate(splits: readonly Split[]): LocalGate {
  const models = Object.keys(splits[0]!.test[0]!.outcomes)
  const random = seededRandom(5)
  const columns = {
    router: [] as number[],
    random: [] as number[],
    best_single: [] as number[],
    length: [] as number[],
    category_table: [] as number[],
    oracle: [] as number[],
  }
  let found = 0
  for (const { train, test } of splits) {
    const predict = fitLocal(train, models)
    const trueTable = tableOf(train, models)
    const single = bestOf(trueTable.get('')!)
    const byLength = lengthTable(train, models)
    for (const row of test) {
      const outcome = models.map(model => row.outcomes[model]!.score)
      const { scores, category } = predict(row)
      if (category === row.category) found++
      columns.router.push(outcome[bestOf(scores)]!)
      columns.random.push(outcome[Math.floor(random() * models.length)]!)
      columns.best_single.push(outcome[single]!)
      columns.length.push(outcome[bestOf(byLength(row))]!)
      columns.category_table.push(outcome[bestOf(trueTable.get(row.category ?? '') ?? trueTable.get('')!)]!)
      columns.oracle.push(Math.max(...outcome))
    }
  }
  const { router, ...others } = columns
  return {
    mean: meanBound(router),
    categoryAccuracy: found / router.length,
    // Where no model costs money, no mixture of single models beats the best of them: it is the zero router too.
    baselines: Object.entries({ ...others, zero_router: others.best_single }).map(([name, values]) => ({
      name,
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
      lead: meanBound(router.map((value, row) => value - values[row]!)),
    })),
  }
}

/** Two stages: text → category → table, plus what the text says about each model directly. */
function fitLocal(train: readonly OutcomeRow[], models: readonly string[]) {
  const readings = readAll(train.map(row => row.prompt!))
  const basis = textBasis(readings)
  const table = tableOf(train, models)
  const categories = [...table.keys()].filter(Boolean)
  const categoryScores = categories.map(category =>
    fitScores(
      basis,
      Float64Array.from(train, row => (row.category === category ? 1 : 0)),
    ),
  )
  const modelScores = models.map(model =>
    fitScores(
      basis,
      Float64Array.from(train, row => row.outcomes[model]!.score),
      train.map(row => row.category ?? ''),
    ),
  )
  const makeVector = createVectorMaker(basis.vectorizer)
  return (row: OutcomeRow) => {
    const vector = makeVector(readAll([row.prompt!])[0]!)
    const category = categories[bestOf(categoryScores.map(linear => score(linear, vector)))]!
    const rates = table.get(category)!
    return { category, scores: modelScores.map((linear, at) => rates[at]! + score(linear, vector)) }
  }
}

/** Mean scores by category, shrunk to the overall mean by ten rows; the empty category is all rows. */
function tableOf(rows: readonly OutcomeRow[], models: readonly string[]): Map<string, number[]> {
  const overall = models.map(model => rows.reduce((sum, row) => sum + row.outcomes[model]!.score, 0) / rows.length)
  const table = new Map([['', overall]])
  for (const [category, members] of Map.groupBy(rows, row => row.category ?? '')) {
    if (category === '') continue
    const rates = models.map(
      (model, at) =>
        (members.reduce((sum, row) => sum + row.outcomes[model]!.score, 0) + 10 * overall[at]!) / (members.length + 10),
    )
    table.set(category, rates)
  }
  return table
}

/** The best model by tenth of prompt length. */
function lengthTable(train: readonly OutcomeRow[], models: readonly string[]): (row: OutcomeRow) => number[] {
  const sorted = train.map(row => row.prompt!.length).sort((a, b) => a - b)
  const edges = Array.from({ length: 9 }, (_, at) => sorted[Math.floor(((at + 1) * sorted.length) / 10)]!)
  const bin = (row: OutcomeRow) => edges.filter(edge => row.prompt!.length >= edge).length
  const bins = Map.groupBy(train, bin)
  const rates = new Map([...bins].map(([key, rows]) => [key, tableOf(rows, models).get('')!]))
  const overall = tableOf(train, models).get('')!
  return row => rates.get(bin(row)) ?? overall
}

function bestOf(values: readonly number[]): number {
  let best = 0
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at
  return best
}
