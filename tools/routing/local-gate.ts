import { likeliest } from '../../src/router/measure.ts'
import { seededRandom } from '../../src/router/chance.ts'
import { meanBound, type Bound } from './bootstrap.ts'
import { kindOfCategory } from './labelled-rows.ts'
import type { OutcomeRow } from './outcomes.ts'
import { modelsOf } from './product.ts'
import type { Trial } from './two-model-gates.ts'

export interface LocalGate {
  mean: Bound
  /** Share of prompts whose kind of task was found, 0..1. */
  kindAccuracy: number
  baselines: { name: string; mean: number; lead: Bound }[]
}

/** Many models of one price: the mean score of the model for which the product predicts the highest quality. */
export function localGate(trials: readonly Trial[]): LocalGate {
  const names = Object.keys(trials[0]!.test[0]!.outcomes)
  const models = modelsOf(names)
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
  for (const { train, test, product } of trials) {
    const trueTable = tableOf(train, names)
    const single = bestOf(trueTable.get('')!)
    const byLength = lengthTable(train, names)
    for (const row of test) {
      const scores = names.map(name => row.outcomes[name]!.score)
      const question = { text: row.prompt }
      columns.router.push(scores[bestOf(product.qualities(question, models))]!)
      columns.random.push(scores[Math.floor(random() * names.length)]!)
      columns.best_single.push(scores[single]!)
      columns.length.push(scores[bestOf(byLength(row))]!)
      columns.category_table.push(scores[bestOf(trueTable.get(row.category ?? '') ?? trueTable.get('')!)]!)
      columns.oracle.push(Math.max(...scores))
      const { categories } = product.knowledge.judge(row.prompt!)
      if (likeliest(categories) === kindOfCategory(row.category ?? '')) found++
    }
  }
  const { router, ...others } = columns
  return {
    mean: meanBound(router),
    kindAccuracy: found / router.length,
    // Where no model costs money, no mixture of single models beats the best of them: it is the zero router too.
    baselines: Object.entries({ ...others, zero_router: others.best_single }).map(([name, values]) => ({
      name,
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
      lead: meanBound(router.map((value, row) => value - values[row]!)),
    })),
  }
}

/** Mean scores by category, shrunk to the overall mean by ten rows; the empty category is all rows. */
function tableOf(rows: readonly OutcomeRow[], names: readonly string[]): Map<string, number[]> {
  const overall = names.map(name => rows.reduce((sum, row) => sum + row.outcomes[name]!.score, 0) / rows.length)
  const table = new Map([['', overall]])
  for (const [category, members] of Map.groupBy(rows, row => row.category ?? '')) {
    if (category === '') continue
    const rates = names.map(
      (name, index) =>
        (members.reduce((sum, row) => sum + row.outcomes[name]!.score, 0) + 10 * overall[index]!) /
        (members.length + 10),
    )
    table.set(category, rates)
  }
  return table
}

/** The best model by tenth of prompt length. */
function lengthTable(train: readonly OutcomeRow[], names: readonly string[]): (row: OutcomeRow) => number[] {
  const sorted = train.map(row => row.prompt!.length).sort((a, b) => a - b)
  const edges = Array.from({ length: 9 }, (_, index) => sorted[Math.floor(((index + 1) * sorted.length) / 10)]!)
  const bin = (row: OutcomeRow) => edges.filter(edge => row.prompt!.length >= edge).length
  const bins = Map.groupBy(train, bin)
  const rates = new Map([...bins].map(([key, rows]) => [key, tableOf(rows, names).get('')!]))
  const overall = tableOf(train, names).get('')!
  return row => rates.get(bin(row)) ?? overall
}

function bestOf(values: readonly number[]): number {
  let best = 0
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index
  return best
}
