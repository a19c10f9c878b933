import weights from './weights.json' with { type: 'json' }
import type { TaskKind } from '../task-kinds.ts'

/** Everyday kinds of work that requests are sorted into, beside the kinds that texts of public tables are. */
export const everydayKinds = [
  'chat',
  'facts',
  'knowledge',
  'math',
  'logic',
  'writing',
  'translation',
  'summary',
  'title',
  'extraction',
  'code_generation',
  'bug_fixing',
  'code_refactoring',
  'code_understanding',
  'test_generation',
  'data_science',
  'algorithm',
  'agent_plan',
  'agent_edit',
  'agent_tool_result',
] as const satisfies readonly TaskKind[]
export type EverydayKind = (typeof everydayKinds)[number]

export const difficulties = ['easy', 'medium', 'hard'] as const

/** A linear score of features for each class, in the order of the classes. */
export interface LinearModel {
  /** By class, then by feature. */
  weights: readonly (readonly number[])[]
}

/** What `npm run train:kinds` makes of the development half of the labelled requests. */
export interface KindWeights {
  /** The features by name, in order: other features need other weights. */
  features: readonly string[]
  kinds: LinearModel
  difficulty: LinearModel
}

export const shippedKindWeights: KindWeights = weights

/** Probabilities of the classes; they sum to 1. */
export function probabilities({ weights }: LinearModel, features: Float64Array): Float64Array {
  return softmax(
    weights.map(row => {
      let score = 0
      for (let at = 0; at < features.length; at++) score += features[at]! * row[at]!
      return score
    }),
  )
}

/** Log odds as probabilities. */
export function softmax(scores: readonly number[]): Float64Array {
  const largest = Math.max(...scores)
  const powers = Float64Array.from(scores, score => Math.exp(score - largest))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map(power => power / total)
}
