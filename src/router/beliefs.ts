import { clamp } from './clamp.ts'

/**
 * What is believed about one model at one kind of task: pseudo-observations of a score in 0..1. Counts are capped, so that
 * a model that changes is noticed, and fade with time, so that old traffic gives way to new.
 */
export interface Belief {
  /** Sum of scores. */
  good: number
  /** Observations, faded and capped. */
  count: number
  /** Milliseconds since the epoch. */
  updatedAt: number
}

/** What is expected before anything was observed here. */
export interface Prior {
  /** Expected score of this model at this kind of task. */
  rate: number
  /** Expected score of any model at it: what remains of `rate` where priors turn out to be wrong. */
  base: number
  /** Observations it is worth. */
  strength: number
}

/** Log odds that priors tell models apart; learned from how well they foretell outcomes. */
export type PriorTrust = number

export const initialPriorTrust: PriorTrust = 4
const maxPriorTrust = 4
const minPriorTrust = -6
const maxCount = 200
const hourMs = 3_600_000
const halfLifeMs = 30 * 86_400_000

export interface Estimate {
  /** Expected score, 0..1. */
  mean: number
  /** Half the width of the 95 % interval, at its widest for this many observations, so that evidence only ever narrows it. */
  plusMinus: number
  /** Observations behind it, the prior's included. */
  count: number
}

/** The probability that priors tell models apart. */
export function trustIn(priorTrust: PriorTrust): number {
  return 1 / (1 + Math.exp(-priorTrust))
}

/** Prior and observations together. The prior's deviation from the base counts as far as priors are trusted (0..1). */
export function estimate(belief: Belief | undefined, prior: Prior, trust: number, now: number): Estimate {
  const expected = prior.base + (prior.rate - prior.base) * trust
  const kept = belief === undefined ? 0 : fading(belief, now)
  const count = prior.strength + kept * (belief?.count ?? 0)
  const mean = (prior.strength * expected + kept * (belief?.good ?? 0)) / count
  return { mean, plusMinus: 0.98 / Math.sqrt(count + 1), count }
}

/** `belief` after one more observation of `score` (0..1) that counts as `weight` observations. */
export function observe(belief: Belief | undefined, score: number, weight: number, now: number): Belief {
  const kept = belief === undefined ? 0 : fading(belief, now)
  const good = kept * (belief?.good ?? 0) + weight * score
  const count = kept * (belief?.count ?? 0) + weight
  const shrink = Math.min(1, maxCount / count)
  return { good: good * shrink, count: count * shrink, updatedAt: now }
}

/** `belief` as if an observation of weight `weight`, made at `madeAt` (ms since the epoch), had differed by `difference`. */
export function revise(
  belief: Belief,
  { difference, weight, madeAt }: { difference: number; weight: number; madeAt: number },
  now: number,
): Belief {
  const kept = fading(belief, now)
  const count = kept * belief.count
  const left = Math.min(count, weight * fading({ ...belief, updatedAt: madeAt }, now))
  return { good: clamp(kept * belief.good + left * difference, 0, count), count, updatedAt: now }
}

/** How credible priors are after one of them met an outcome: Bayes' rule between "priors know" and "priors know nothing". */
export function reconsider(priorTrust: PriorTrust, prior: Prior, score: number): PriorTrust {
  const knows = clamp(prior.rate, 0.02, 0.98)
  const guesses = clamp(prior.base, 0.02, 0.98)
  const ratio = score * Math.log(knows / guesses) + (1 - score) * Math.log((1 - knows) / (1 - guesses))
  return clamp(priorTrust + ratio, minPriorTrust, maxPriorTrust)
}

/** The times around `now`, in milliseconds since the epoch, between which `estimate` makes the same of a belief. */
export function steadiness({ updatedAt }: Belief, now: number): { from: number; until: number } {
  const age = now - updatedAt
  if (age < hourMs) return { from: Number.NEGATIVE_INFINITY, until: updatedAt + hourMs }
  const hours = Math.floor(age / hourMs)
  return { from: updatedAt + hours * hourMs, until: updatedAt + (hours + 1) * hourMs }
}

/** Falls by whole hours, which spares most beliefs a power. */
function fading(belief: Belief, now: number): number {
  const age = now - belief.updatedAt
  return age < hourMs ? 1 : 0.5 ** ((Math.floor(age / hourMs) * hourMs) / halfLifeMs)
}
