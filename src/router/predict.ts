import type { Ability } from './abilities.ts'
import { estimate, observe, type Prior } from './beliefs.ts'
import { anyCategory, type Benchmark, type Evidence } from './evidence.ts'

/** How good an answer is expected to be. */
export interface Quality {
  /** 0..1 */
  quality: number
  /** Half of the 95 % interval. */
  plusMinus: number
  /** Observations behind it, benchmark runs and priors included. */
  count: number
}

/** A kind of task and how likely a prompt is of it; the shares of a prompt's kinds sum to 1. */
export interface Kind {
  category: string
  share: number
}

/** What a fully trusted benchmark result is worth in observations, at most one for each task. */
const benchmarkWorth = 20
/** A result for all kinds of tasks says less about each. */
const generalWorth = 8

/**
 * Quality of one model for a prompt that is of these `kinds` and so much easier than usual (log odds): per kind the
 * prior, benchmarks and outcomes together, mixed by the probabilities. Evidence never widens the interval.
 */
export function predictQuality(
  ability: Ability,
  kinds: readonly Kind[],
  ease: number,
  evidence: Evidence,
  /** `trustIn(evidence.credence)`: the same for all candidates. */
  trust: number,
  reliableBenchmarkCount: number,
  now: number,
): Quality {
  const beliefs = evidence.beliefs.get(ability.key)
  const benchmarks = evidence.benchmarks.get(ability.key)
  const general = benchmarks?.get(anyCategory)
  let quality = 0
  let plusMinus = 0
  let count = 0
  for (const { category, share } of kinds) {
    let prior: Prior = ability.prior(category)
    if (benchmarks !== undefined) {
      prior = withBenchmark(prior, general, generalWorth, reliableBenchmarkCount)
      prior = withBenchmark(prior, benchmarks.get(category), benchmarkWorth, reliableBenchmarkCount)
    }
    const here = estimate(beliefs?.get(category), prior, trust, now)
    quality += share * here.mean
    plusMinus += share * here.plusMinus
    count += share * here.count
  }
  return { quality: shifted(quality, ease), plusMinus: Math.min(0.5, plusMinus), count }
}

/** The prior after a benchmark: fewer runs than `reliable` count in proportion. What was measured here is no longer a guess. */
function withBenchmark(prior: Prior, benchmark: Benchmark | undefined, worth: number, reliable: number): Prior {
  if (benchmark === undefined || benchmark.runs === 0) return prior
  const weight = Math.min(benchmark.tasks, worth * Math.min(1, benchmark.runs / reliable))
  const { good, count } = observe(
    { good: prior.strength * prior.rate, count: prior.strength, updatedAt: 0 },
    benchmark.score,
    weight,
    0,
  )
  const base = (prior.base * prior.strength + benchmark.score * weight) / count
  return { rate: good / count, base, strength: count }
}

/** `quality` with its log odds moved by `ease`. */
function shifted(quality: number, ease: number): number {
  if (ease === 0) return quality
  const sure = Math.max(0.001, Math.min(0.999, quality))
  return 1 / (1 + ((1 - sure) / sure) * Math.exp(-ease))
}
