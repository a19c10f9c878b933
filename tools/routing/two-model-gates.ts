import { hashText, seededRandom } from '../../src/router/chance.ts'
import { quantile, resample } from './bootstrap.ts'
import type { OutcomeRow } from './outcomes.ts'
import { modelsOf, type Product, type QualityModel } from './product.ts'
import { rankRows, twoModelMetrics, type TwoModelMetrics } from './two-models.ts'

/** One gate of two models: the router's metrics, each baseline's, and the paired interval of the router's lead. */
export interface TwoModelGate {
  router: TwoModelMetrics
  /** The router's metrics in each repetition; `router` is their mean. */
  repetitions: TwoModelMetrics[]
  low: TwoModelMetrics
  high: TwoModelMetrics
  baselines: { name: string; metrics: TwoModelMetrics; lead: { value: number; low: number; high: number } }[]
}

/** Row by row: scores of the router and of every baseline, and the gap that was. */
interface Judged {
  gaps: Float64Array
  scores: Record<string, Float64Array>
}

/** The model with the higher mean score, by name. */
export function strongerOf(rows: readonly OutcomeRow[]): string {
  const sums = new Map<string, number>()
  for (const { outcomes } of rows) {
    for (const [model, { score }] of Object.entries(outcomes)) sums.set(model, (sums.get(model) ?? 0) + score)
  }
  return [...sums].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0]
}

/** Rows to judge, and a product that was trained on others. */
export interface Trial<Judged extends QualityModel = Product> {
  train: readonly OutcomeRow[]
  test: readonly OutcomeRow[]
  product: Judged
}

/**
 * Judges the product by the gap between the qualities it predicts for the strong and the weak model, which is what decides
 * between them. Each run is a list of trials that together judge every row once; runs are averaged.
 */
export function twoModelGate(runs: readonly (readonly Trial<QualityModel>[])[]): TwoModelGate {
  return summarize(runs.map(judge))
}

function judge(trials: readonly Trial<QualityModel>[]): Judged {
  const gaps: number[] = []
  const columns: Record<string, number[]> = {
    router: [],
    random: [],
    best_single: [],
    zero_router: [],
    length: [],
    category_table: [],
    oracle: [],
  }
  for (const { train, test, product } of trials) {
    const strong = strongerOf(train.length === 0 ? test : train)
    const table = groupTable(train, strong)
    const names = Object.keys(test[0]?.outcomes ?? {})
    const models = modelsOf([strong, ...names.filter(name => name !== strong)])
    for (const row of test) {
      const gap = gapOf(row, strong)
      gaps.push(gap)
      const [better, worse] = product.qualities({ text: row.prompt }, models)
      columns['router']!.push(better! - worse!)
      columns['random']!.push(hashText(row.id, 99))
      columns['best_single']!.push(0)
      columns['zero_router']!.push(0)
      columns['length']!.push(row.prompt!.length)
      columns['category_table']!.push(table(row))
      columns['oracle']!.push(gap)
    }
  }
  return {
    gaps: Float64Array.from(gaps),
    scores: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, Float64Array.from(values)])),
  }
}

const replicates = 400

function summarize(runs: readonly Judged[]): TwoModelGate {
  const orders = runs.map(({ scores }) =>
    Object.fromEntries(Object.entries(scores).map(([name, values]) => [name, rankRows(values)])),
  )
  const names = Object.keys(runs[0]!.scores)
  // Always-strong and always-weak, and any mixture of the two, recover the gap in proportion to the share: 0.5, 50 %, 80 %.
  const measure = (name: string, weights?: readonly Uint8Array[]): TwoModelMetrics =>
    name === 'best_single' || name === 'zero_router'
      ? { apgr: 0.5, cpt50: 50, cpt80: 80 }
      : average(runs.map((run, index) => twoModelMetrics(orders[index]![name]!, run.gaps, weights?.[index])))
  const random = seededRandom(7)
  const samples = Object.fromEntries(names.map(name => [name, [] as TwoModelMetrics[]]))
  for (let replicate = 0; replicate < replicates; replicate++) {
    const weights = runs.map(run => resample(run.gaps.length, random))
    for (const name of names) samples[name]!.push(measure(name, weights))
  }
  const router = samples['router']!
  const bound = (share: number): TwoModelMetrics => ({
    apgr: quantile(
      router.map(sample => sample.apgr),
      share,
    ),
    cpt50: quantile(
      router.map(sample => sample.cpt50),
      share,
    ),
    cpt80: quantile(
      router.map(sample => sample.cpt80),
      share,
    ),
  })
  const own = measure('router')
  return {
    router: own,
    repetitions: runs.map((run, index) => twoModelMetrics(orders[index]!['router']!, run.gaps)),
    low: bound(0.025),
    high: bound(0.975),
    baselines: names
      .filter(name => name !== 'router')
      .map(name => {
        const metrics = measure(name)
        const leads = router.map((sample, index) => sample.apgr - samples[name]![index]!.apgr)
        return {
          name,
          metrics,
          lead: { value: own.apgr - metrics.apgr, low: quantile(leads, 0.025), high: quantile(leads, 0.975) },
        }
      }),
  }
}

/** The mean gap of a row's own group in training, shrunk to the overall mean by ten rows. */
function groupTable(train: readonly OutcomeRow[], strong: string): (row: OutcomeRow) => number {
  const sums = new Map<string, { sum: number; count: number }>()
  let total = 0
  for (const row of train) {
    const entry = sums.get(row.group ?? '') ?? { sum: 0, count: 0 }
    const gap = gapOf(row, strong)
    entry.sum += gap
    entry.count++
    total += gap
    sums.set(row.group ?? '', entry)
  }
  const mean = total / Math.max(1, train.length)
  return row => {
    const entry = sums.get(row.group ?? '') ?? { sum: 0, count: 0 }
    return (entry.sum + 10 * mean) / (entry.count + 10)
  }
}

function gapOf({ outcomes }: OutcomeRow, strong: string): number {
  const weak = Object.entries(outcomes).find(([name]) => name !== strong)!
  return outcomes[strong]!.score - weak[1].score
}

function average(all: readonly TwoModelMetrics[]): TwoModelMetrics {
  const mean = (pick: (metrics: TwoModelMetrics) => number) =>
    all.reduce((sum, metrics) => sum + pick(metrics), 0) / all.length
  return { apgr: mean(m => m.apgr), cpt50: mean(m => m.cpt50), cpt80: mean(m => m.cpt80) }
}
