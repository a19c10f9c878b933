import { years as yearsSince2024 } from '../../src/router/model-releases.ts'
import type { BenchmarkFacts, WorkKind } from './facts.ts'
import { workKinds } from './facts.ts'
import type { Entry, Result } from './entries.ts'

/** A one-factor model of public results: `logit(score) = slope × (ability + effort) − difficulty`. */
export interface Fit {
  abilities: Map<string, { ability: number; sd: number; kinds: Partial<Record<WorkKind, number>> }>
  benchmarks: Map<string, BenchmarkFit>
  effort: Record<Result['effort'], number>
}

export interface BenchmarkFit {
  slope: number
  difficulty: number
  /** Residual standard deviation, in log odds of the score. */
  sd: number
  count: number
}

interface Observation {
  entry: number
  benchmark: number
  effort: Result['effort']
  value: number
  /** Results of one source about one model have correlated errors, so each counts less the more there are. */
  share: number
}

const rounds = 80
/** Scores are clamped to these: a result at the end of its scale says little about a model beyond it. */
const [minShare, maxShare] = [0.02, 0.98]
/** Prior spread of abilities around the prediction by release and size, and of slopes around 1. */
const abilitySpread = 0.9
const slopeSpread = 0.5
const minSd = 0.2
/** Additional spread of self-reported results, which makers select. */
const selfReportedSd = 0.35
/** Uncertainty that remains however many results there are. */
const remainingSd = 0.15
/** Spread of one model's abilities at kinds of work around its ability. */
const kindSpread = 0.35

/** Fits all benchmarks and models together by alternating regressions. Deterministic. */
export function fitAbilities(entries: readonly Entry[], facts: Readonly<Record<string, BenchmarkFacts>>): Fit {
  const names = [...new Set(entries.flatMap(({ results }) => results.map(({ benchmark }) => benchmark)))].sort()
  const observations = observationsOf(entries, names, facts)
  const byEntry = Map.groupBy(observations, ({ entry }) => entry)
  const byBenchmark = Map.groupBy(observations, ({ benchmark }) => benchmark)
  const thetas = entries.map(each => 0.8 * years(each))
  const benchmarks: BenchmarkFit[] = names.map(() => ({ slope: 1, difficulty: 0, sd: 1, count: 0 }))
  const effort: Fit['effort'] = { usual: 0, none: -0.5, low: -0.2, medium: 0, high: 0.2 }
  for (let round = 0; round < rounds; round++) {
    for (const [index, own] of byBenchmark) benchmarks[index] = fitBenchmark(own, thetas, effort, facts[names[index]!]!)
    const expected = expectedAbilities(entries, thetas)
    for (const [index, own] of byEntry) thetas[index] = fitEntry(own, benchmarks, effort, expected[index]!).ability
    fitEffort(observations, thetas, benchmarks, effort)
    rescale(thetas, benchmarks, effort)
  }
  const expected = expectedAbilities(entries, thetas)
  const kinds = names.map(name => facts[name]!.kind)
  return {
    abilities: new Map(
      entries.map(({ key }, index) => {
        const own = byEntry.get(index)!
        const { ability, sd } = fitEntry(own, benchmarks, effort, expected[index]!)
        return [
          key,
          { ability, sd: Math.hypot(sd, remainingSd), kinds: kindsOf(own, ability, benchmarks, effort, kinds) },
        ]
      }),
    ),
    benchmarks: new Map(names.map((name, index) => [name, benchmarks[index]!])),
    effort,
  }
}

/** Years from the start of 2024 to a release; the middle of 2024 if it is unknown. */
export function years({ released }: { released?: string | undefined }): number {
  return released === undefined ? 0.5 : yearsSince2024(released)
}

function observationsOf(
  entries: readonly Entry[],
  names: readonly string[],
  facts: Readonly<Record<string, BenchmarkFacts>>,
): Observation[] {
  const place = new Map(names.map((name, index) => [name, index]))
  return entries.flatMap(({ results }, entry) => {
    const bySource = Map.groupBy(results, ({ benchmark }) => facts[benchmark]!.source)
    return results.map(({ benchmark, score, effort }) => ({
      entry,
      benchmark: place.get(benchmark)!,
      effort,
      value: logOdds(score, facts[benchmark]!),
      share: 1 / Math.sqrt(bySource.get(facts[benchmark]!.source)!.length),
    }))
  })
}

/** A score as log odds; ratings have that scale already. */
function logOdds(score: number, { unit, chance = 0 }: BenchmarkFacts): number {
  if (unit === 'elo') return ((score - 1200) * Math.LN10) / 400
  const share = Math.max(minShare, Math.min(maxShare, (score - chance) / (1 - chance)))
  return Math.log(share / (1 - share))
}

function fitBenchmark(
  own: readonly Observation[],
  thetas: readonly number[],
  effort: Fit['effort'],
  { selfReported }: BenchmarkFacts,
): BenchmarkFit {
  const xs = own.map(({ entry, effort: how }) => thetas[entry]! + effort[how])
  const ys = own.map(({ value }) => value)
  const weights = own.map(({ share }) => share)
  const total = sum(weights)
  const meanX = sum(xs.map((x, index) => x * weights[index]!)) / total
  const meanY = sum(ys.map((y, index) => y * weights[index]!)) / total
  const xx = sum(xs.map((x, index) => weights[index]! * (x - meanX) ** 2))
  const xy = sum(xs.map((x, index) => weights[index]! * (x - meanX) * (ys[index]! - meanY)))
  const ridge = 0.1 / slopeSpread ** 2
  const slope = Math.max(0.2, (xy + ridge) / (xx + ridge))
  const difficulty = slope * meanX - meanY
  const error = sum(xs.map((x, index) => weights[index]! * (ys[index]! - slope * x + difficulty) ** 2))
  const least = selfReported === true ? selfReportedSd : minSd
  const sd = Math.sqrt((error + 2 * 0.25) / (total + 2))
  return { slope, difficulty, sd: Math.max(least, sd), count: own.length }
}

function fitEntry(
  own: readonly Observation[],
  benchmarks: readonly BenchmarkFit[],
  effort: Fit['effort'],
  expected: number,
): { ability: number; sd: number } {
  let precision = 1 / abilitySpread ** 2
  let weighted = expected * precision
  for (const { benchmark, effort: how, value, share } of own) {
    const { slope, difficulty, sd } = benchmarks[benchmark]!
    const weight = (share * slope ** 2) / sd ** 2
    precision += weight
    weighted += weight * ((value + difficulty) / slope - effort[how])
  }
  return { ability: weighted / precision, sd: Math.sqrt(1 / precision) }
}

/** Abilities predicted by release and size alone: the prior for models with few results. */
function expectedAbilities(entries: readonly Entry[], thetas: readonly number[]): number[] {
  const rows = entries.map(each => [
    1,
    years(each),
    each.sizeB === undefined ? 0 : Math.log2(each.sizeB / 8),
    each.sizeB === undefined ? 1 : 0,
  ])
  const solution = leastSquares(rows, thetas, 0.5)
  return rows.map(row => sum(row.map((x, index) => x * solution[index]!)))
}

function fitEffort(
  observations: readonly Observation[],
  thetas: readonly number[],
  benchmarks: readonly BenchmarkFit[],
  effort: Fit['effort'],
): void {
  for (const how of ['none', 'low', 'high'] as const) {
    let precision = 4
    let weighted = 0
    for (const { entry, benchmark, effort: own, value, share } of observations) {
      if (own !== how) continue
      const { slope, difficulty, sd } = benchmarks[benchmark]!
      const weight = (share * slope ** 2) / sd ** 2
      precision += weight
      weighted += weight * ((value + difficulty) / slope - thetas[entry]!)
    }
    effort[how] = weighted / precision
  }
}

/** The unit is the log odds of an average benchmark: slopes are 1 on average. Zero is the median of all models. */
function rescale(thetas: number[], benchmarks: BenchmarkFit[], effort: Fit['effort']): void {
  const counted = sum(benchmarks.map(({ count }) => count))
  const scale = Math.exp(sum(benchmarks.map(({ slope, count }) => count * Math.log(slope))) / counted)
  const middle = sum(thetas) / thetas.length
  for (const [index, theta] of thetas.entries()) thetas[index] = (theta - middle) * scale
  for (const benchmark of benchmarks) {
    benchmark.difficulty -= benchmark.slope * middle
    benchmark.slope /= scale
  }
  for (const how of ['none', 'low', 'high'] as const) effort[how] *= scale
}

/** `kinds` are those of the benchmarks. */
function kindsOf(
  own: readonly Observation[],
  ability: number,
  benchmarks: readonly BenchmarkFit[],
  effort: Fit['effort'],
  kinds: readonly BenchmarkFacts['kind'][],
): Partial<Record<WorkKind, number>> {
  const found: Partial<Record<WorkKind, number>> = {}
  for (const kind of workKinds) {
    const members = own.filter(({ benchmark }) => kinds[benchmark] === kind)
    let precision = 1 / kindSpread ** 2
    let weighted = 0
    for (const { benchmark, effort: how, value, share } of members) {
      const { slope, difficulty, sd } = benchmarks[benchmark]!
      const weight = (share * slope ** 2) / sd ** 2
      precision += weight
      weighted += weight * ((value + difficulty) / slope - effort[how] - ability)
    }
    if (members.length >= 2 && Math.abs(weighted / precision) > 1.3 / Math.sqrt(precision))
      found[kind] = weighted / precision
  }
  return found
}

/** Ridge regression; the first column is the intercept and is not shrunk. */
export function leastSquares(rows: readonly (readonly number[])[], ys: readonly number[], ridge: number): number[] {
  const width = rows[0]!.length
  const matrix = Array.from({ length: width }, (_, i) =>
    Array.from({ length: width }, (__, j) => sum(rows.map(row => row[i]! * row[j]!)) + (i === j && i > 0 ? ridge : 0)),
  )
  const right = Array.from({ length: width }, (_, i) => sum(rows.map((row, index) => row[i]! * ys[index]!)))
  for (let i = 0; i < width; i++) {
    const pivot = matrix[i]![i]! || 1e-9
    for (let j = i + 1; j < width; j++) {
      const factor = matrix[j]![i]! / pivot
      for (let k = i; k < width; k++) matrix[j]![k]! -= factor * matrix[i]![k]!
      right[j]! -= factor * right[i]!
    }
  }
  const solution = Array.from({ length: width }, () => 0)
  for (let i = width - 1; i >= 0; i--) {
    const rest = sum(solution.slice(i + 1).map((value, index) => value * matrix[i]![i + 1 + index]!))
    solution[i] = (right[i]! - rest) / (matrix[i]![i]! || 1e-9)
  }
  return solution
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
