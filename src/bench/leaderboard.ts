import { sumUsd } from '../accounting/money.ts'
import { countOf } from './runner.ts'
import { candidateKey, type BenchmarkResult } from './results.ts'
import { median, wilson, type Interval } from './statistics.ts'

export interface CategoryScore extends Interval {
  category: string
  /** Number of tasks and passes; `value` is the pass rate, with Wilson's interval. */
  tasks: number
  passed: number
}

/** One measured model (with its settings); a leaderboard is sorted by quality. */
export interface LeaderboardRow {
  provider: string
  model: string
  /** Canonical JSON; `{}` are the default settings. */
  settings: string
  digest: string | null
  quantization: string | null
  contextTokens: number | null
  /** Mean of the categories' pass rates, with a 95 % interval from their posteriors. */
  quality: Interval
  categories: CategoryScore[]
  /** Mean of the items of known cost; `null` when there are none. */
  costUsdPerTask: number | null
  tokensPerSecond: number | null
  /** Median milliseconds to the first token by prompt length. */
  firstToken: { promptTokensUpTo: number; medianMs: number; items: number }[]
  loadSeconds: number | null
  memoryBytes: number | null
  items: number
}

const promptLengths = [512, 2_048, 8_192, 32_768, Infinity]

/** Converts results to leaderboard rows. Pass only results of the current digests and suite versions. */
export function leaderboard(results: readonly BenchmarkResult[]): LeaderboardRow[] {
  return [...Map.groupBy(results, candidateKey).values()]
    .map(leader)
    .sort((a, b) => b.quality.value - a.quality.value || a.model.localeCompare(b.model))
}

function leader(results: readonly BenchmarkResult[]): LeaderboardRow {
  const { provider, model, settings, digest, quantization, contextTokens } = results.at(-1)!
  const categories = [...Map.groupBy(results, ({ suite }) => suite)].map(([category, list]) => {
    const { passed, total } = countOf(list)
    return { category, ...wilson(passed, total), passed, tasks: total }
  })
  const costs = known(results, 'costUsd')
  return {
    provider,
    model,
    settings,
    digest,
    quantization,
    contextTokens,
    quality: meanQuality(categories),
    categories,
    costUsdPerTask: costs.length === 0 ? null : sumUsd(costs) / costs.length,
    tokensPerSecond: median(known(results, 'tokensPerSecond')) ?? null,
    firstToken: promptLengths.flatMap((promptTokensUpTo, index) => {
      const times = known(
        results.filter(
          ({ promptTokens }) =>
            promptTokens !== null &&
            promptTokens <= promptTokensUpTo &&
            promptTokens > (promptLengths[index - 1] ?? -1),
        ),
        'firstTokenMs',
      )
      return times.length === 0 ? [] : [{ promptTokensUpTo, medianMs: median(times)!, items: times.length }]
    }),
    loadSeconds: Math.max(-1, ...known(results, 'loadSeconds')) < 0 ? null : Math.max(...known(results, 'loadSeconds')),
    memoryBytes: Math.max(-1, ...known(results, 'memoryBytes')) < 0 ? null : Math.max(...known(results, 'memoryBytes')),
    items: results.length,
  }
}

function known(
  results: readonly BenchmarkResult[],
  column: 'costUsd' | 'tokensPerSecond' | 'firstTokenMs' | 'loadSeconds' | 'memoryBytes',
): number[] {
  return results.flatMap(result => result[column] ?? [])
}

/** Categories have equal weight regardless of their number of tasks; their posteriors' variances add up. */
function meanQuality(categories: readonly CategoryScore[]): Interval {
  if (categories.length === 1) {
    const { value, low, high } = categories[0]!
    return { value, low, high }
  }
  const share = 1 / categories.length
  const value = categories.reduce((sum, category) => sum + category.value * share, 0)
  const variance = categories.reduce((sum, { passed, tasks }) => {
    const [a, b] = [passed + 1, tasks - passed + 1]
    return sum + (share ** 2 * (a * b)) / ((a + b) ** 2 * (a + b + 1))
  }, 0)
  const half = 1.96 * Math.sqrt(variance)
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) }
}
