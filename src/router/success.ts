/**
 * The formulas behind P(success | model, prompt). Training (`tools/routing`), decisions and benches all use these.
 */

/** Rasch's model: how often a model of this ability succeeds at a task of this difficulty, both in log odds. */
export function expectedRate(ability: number, difficulty: number): number {
  return 1 / (1 + Math.exp(difficulty - ability))
}

/**
 * Small talk has no benchmark; a small model does it well. A judgement, not a measurement: a model of ability 0 is taken to do
 * it right three times of four.
 */
export const smallTalkDifficulty = -1

/** Observations that the expectation is worth beside a measured rate. */
const expectationWorth = 10

/** A measured rate, pulled towards what the model's ability lets expect. */
export function shrunkRate(seen: { rate: number; count: number } | undefined, expected: number): number {
  if (seen === undefined) return expected
  return (seen.rate * seen.count + expectationWorth * expected) / (seen.count + expectationWorth)
}

/** What a prompt's text says beyond the kind of task it is. */
export interface TextEffect {
  /** Probability of success by which the prompt is easier (positive) or harder than usual for its kind, for any model. */
  level: number
  /** How much more ability matters than usual for its kind: probability of success per log odd of ability. */
  slope: number
  /** What it asks of skills in which models of the same ability differ; see `Weights.models[].skills`. */
  skills: readonly number[]
}

/** The text of a prompt that was not read says nothing. */
export const noEffect: TextEffect = { level: 0, slope: 0, skills: [] }

/** Log odds around the usual ability within which the slope was learned; beyond them it is held. */
const slopeReach = 2
/** Where a probability this close to 0 or 1 bends, so that it never leaves the range and never ties. */
const edge = 0.05

/**
 * P(success | model, prompt): `rate`, which is the model's expected success at the prompt's kinds of task, moved by what the
 * text says: `rate + level + slope × (ability − usual) + skills · loadings`. It is linear in probability, since the gap
 * between two models is what was learned, and bends only near 0 and 1.
 */
export function successOf(
  rate: number,
  effect: TextEffect,
  abilityAboveUsual: number,
  loadings: readonly number[] | undefined,
): number {
  const reach = Math.max(-slopeReach, Math.min(slopeReach, abilityAboveUsual))
  let moved = rate + effect.level + effect.slope * reach
  if (loadings !== undefined) {
    for (let index = 0; index < effect.skills.length; index++) moved += effect.skills[index]! * loadings[index]!
  }
  if (moved > 1 - edge) return 1 - edge + edge * Math.tanh((moved - 1 + edge) / edge)
  return moved < edge ? edge + edge * Math.tanh((moved - edge) / edge) : moved
}
