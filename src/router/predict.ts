import type { Ability } from './abilities.ts'
import { estimate, observe, type Estimate, type Prior } from './beliefs.ts'
import type { DecisionContext } from './context.ts'
import { anyCategory, type Benchmark } from './evidence.ts'
import { successOf } from './success.ts'

/** How good an answer is expected to be. */
export interface Quality {
  /** 0..1 */
  quality: number
  /** Half of the 95 % interval. */
  plusMinus: number
  /** Observations behind it, benchmark runs and priors included. */
  count: number
}

/** What a fully trusted benchmark result is worth in observations, at most one for each task. */
const benchmarkWorth = 20
/** A result for all kinds of tasks says less about each. */
const generalWorth = 8

/** What a prediction needs of a decision's context. */
type PredictionContext = Pick<DecisionContext, 'measured' | 'kinds' | 'referenceAbility'> & EstimateContext
type EstimateContext = Pick<DecisionContext, 'evidence' | 'priorTrust' | 'policy' | 'now'>

/**
 * Quality of one model for a prompt: for each kind of task the prior, benchmarks and outcomes together, mixed by the
 * probabilities of the kinds, then moved by what the text says (`successOf`). Evidence never widens the interval.
 */
export function predictQuality(context: PredictionContext, ability: Ability): Quality {
  let rate = 0
  let plusMinus = 0
  let count = 0
  for (const { category, share } of context.kinds) {
    const here = estimateAt(context, ability, category)
    rate += share * here.mean
    plusMinus += share * here.plusMinus
    count += share * here.count
  }
  return { quality: qualityOf(context, ability, rate), plusMinus: Math.min(0.5, plusMinus), count }
}

/** What is believed about a model at one kind of task: the prior, benchmarks and outcomes together. */
export function estimateAt(
  { evidence, priorTrust, policy, now }: EstimateContext,
  ability: Ability,
  category: string,
): Estimate {
  const belief = evidence.beliefs.get(ability.key)?.get(category)
  const benchmarks = evidence.benchmarks.get(ability.key)
  let prior: Prior = ability.prior(category)
  if (benchmarks !== undefined) {
    prior = withBenchmark(prior, benchmarks.get(anyCategory), generalWorth, policy.reliableBenchmarkCount)
    prior = withBenchmark(prior, benchmarks.get(category), benchmarkWorth, policy.reliableBenchmarkCount)
  }
  return estimate(belief, prior, priorTrust, now)
}

/** Quality for a prompt, from the `rate` of success that is expected of the model at the prompt's kinds of task. */
export function qualityOf(
  { measured, referenceAbility }: Pick<PredictionContext, 'measured' | 'referenceAbility'>,
  { slopeAbility, skills }: Ability,
  rate: number,
): number {
  return successOf(rate, measured.effect, slopeAbility - referenceAbility, skills)
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
