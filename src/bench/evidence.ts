import { countOf } from './runner.ts'
import { candidateKey, type BenchmarkResult } from './results.ts'
import { mcnemar, pairedBootstrap, probabilityBetter, wilson, type Interval } from './statistics.ts'

/** The results of one model in one category: the router's evidence. */
export interface BenchmarkEvidence {
  provider: string
  model: string
  /** Canonical JSON; `{}` are the default settings. */
  settings: string
  /** A suite's name. */
  category: string
  suiteVersion: number
  /** Tasks, averaged over repetitions; `passed` may be fractional. */
  passed: number
  total: number
  /** Number of runs: evidence gets full weight from RELIABLE_BENCHMARK_COUNT of them. */
  runs: number
  /** See `weightsOf`. */
  weights: string | null
  /** Epoch milliseconds of the newest item. */
  at: number
}

/**
 * Results as counts per model, its weights, settings and category: other weights under the same name are another model. Only
 * the newest version of a suite counts.
 */
export function evidence(results: readonly BenchmarkResult[]): BenchmarkEvidence[] {
  const groups = Map.groupBy(ofNewestVersion(results), result =>
    JSON.stringify([candidateKey(result), result.suite, weightsOf(result)]),
  )
  return [...groups.values()].map(group => {
    const { provider, model, settings, suite: category, suiteVersion } = group[0]!
    const weights = weightsOf(group[0]!)
    const runs = new Set(group.map(({ run, repetition }) => `${run} ${repetition}`)).size
    const at = Math.max(...group.map(result => result.at))
    return {
      provider,
      model,
      settings,
      category,
      suiteVersion,
      ...countOf(group),
      runs,
      weights,
      at,
    }
  })
}

/**
 * The results that speak of today's weights and today's tasks: what a leaderboard shows.
 *
 * @param weightsNow a model's weights today, `undefined` when its server does not tell: then the newest ones measured
 */
export function currentResults(
  results: readonly BenchmarkResult[],
  weightsNow: WeightsNow = () => undefined,
): BenchmarkResult[] {
  const today = weightsToday(results, weightsNow)
  return ofNewestVersion(results).filter(result => weightsOf(result) === today(result))
}

/** The current `weightsOf` a model. */
export type WeightsNow = (provider: string, model: string) => string | undefined

/** Identifies a model's weights: their digest, or the quantization where no server reports a digest. */
function weightsOf({ digest, quantization }: Pick<BenchmarkResult, 'digest' | 'quantization'>): string | null {
  return digest ?? quantization
}

function ofNewestVersion(results: readonly BenchmarkResult[]): BenchmarkResult[] {
  const newest = new Map<string, number>()
  for (const { suite, suiteVersion } of results) newest.set(suite, Math.max(newest.get(suite) ?? 0, suiteVersion))
  return results.filter(({ suite, suiteVersion }) => suiteVersion === newest.get(suite))
}

function weightsToday(results: readonly BenchmarkResult[], weightsNow: WeightsNow) {
  const newest = new Map(results.toSorted((a, b) => a.at - b.at).map(result => [modelKey(result), weightsOf(result)]))
  return (result: BenchmarkResult) => weightsNow(result.provider, result.model) ?? newest.get(modelKey(result)) ?? null
}

const modelKey = ({ provider, model }: { provider: string; model: string }) => JSON.stringify([provider, model])

/** Two settings or models compared on the tasks given to both. */
export interface PairedDifference extends Interval {
  tasks: number
  onlyFirst: number
  onlySecond: number
  /** Two-sided exact McNemar test on tasks that only one of them passed. */
  p: number
}

/** The first's pass rate minus the second's, task by task, with a paired bootstrap interval. */
export function pairedDifference(
  first: readonly BenchmarkResult[],
  second: readonly BenchmarkResult[],
  random: () => number,
): PairedDifference {
  const share = (results: readonly BenchmarkResult[]) =>
    new Map([...Map.groupBy(results, ({ task }) => task)].map(([task, list]) => [task, countOf(list).passed]))
  const [a, b] = [share(first), share(second)]
  const differences = [...a].flatMap(([task, passed]) => (b.has(task) ? [passed - b.get(task)!] : []))
  const onlyFirst = differences.filter(difference => difference > 0).length
  const onlySecond = differences.filter(difference => difference < 0).length
  return {
    ...pairedBootstrap(differences, random),
    tasks: differences.length,
    onlyFirst,
    onlySecond,
    p: mcnemar(onlyFirst, onlySecond),
  }
}

/**
 * Whether a prompting strategy may replace the default for a model: only when it is significantly better on the same
 * tasks (paired interval above 0 and McNemar's p at most 0.05). Insufficient evidence means no.
 */
export function strategyIsBetter(
  variant: readonly BenchmarkResult[],
  standard: readonly BenchmarkResult[],
  random: () => number,
): boolean {
  const { low, p } = pairedDifference(variant, standard, random)
  return low > 0 && p <= 0.05
}

/** The result of re-running a sample of tasks to detect drift. */
export interface Drift {
  provider: string
  model: string
  /** A suite's name, or `all` for the model's categories together, where a small shift shows first. */
  category: string
  /** Pass rates on the same tasks. */
  before: Interval
  after: Interval
  tasks: number
  /** Probability, from both posteriors, that the later rate differs in the observed direction. */
  certainty: number
  /** The probability reaches 97.5 % (5 % two-sided), or the weights have changed. */
  moved: boolean
  weightsChanged: boolean
}

const movedCertainty = 0.975

/** Older and newer results of the same tasks, per model and category and for each model overall. */
export function drift(before: readonly BenchmarkResult[], after: readonly BenchmarkResult[]): Drift[] {
  const compare = (fresh: readonly BenchmarkResult[], category: string): Drift[] => {
    const key = candidateKey(fresh[0]!)
    const tasks = new Set(fresh.map(({ task }) => task))
    const old = before.filter(result => candidateKey(result) === key && tasks.has(result.task))
    if (old.length === 0) return []
    const known = new Set(old.map(({ task }) => task))
    const [was, is] = [countOf(old), countOf(fresh.filter(({ task }) => known.has(task)))]
    const better = probabilityBetter(is, was)
    const certainty = Math.max(better, 1 - better)
    const { provider, model } = fresh[0]!
    const weightsChanged = weightsOf(old.at(-1)!) !== weightsOf(fresh[0]!)
    const moved = certainty >= movedCertainty || weightsChanged
    const rates = { before: wilson(was.passed, was.total), after: wilson(is.passed, is.total) }
    return [{ provider, model, category, ...rates, tasks: known.size, certainty, moved, weightsChanged }]
  }
  return [...Map.groupBy(after, candidateKey).values()].flatMap(fresh => [
    ...[...Map.groupBy(fresh, ({ suite }) => suite)].flatMap(([suite, list]) => compare(list, suite)),
    ...compare(fresh, 'all'),
  ])
}
