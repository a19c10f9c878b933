import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { PackedText } from './text/judge.ts'

/** What one model scored at one kind of task, in public data. */
export interface Rate {
  rate: number
  count: number
}

/** What `npm run train:router` makes and the router starts from. */
export interface Weights {
  version: number
  text: PackedText
  /** By category: expected score of any model, and expected output tokens where the data tells. */
  base: Record<string, { rate: number; outputTokens?: number }>
  /** By category: log odds that a model of ability 0 fails. */
  difficulty: Record<string, number>
  /** By simplified model name. Abilities are log odds on one scale for all tables. */
  models: Record<string, { ability: number; rates: Record<string, Rate> }>
  /** Ability of a model known only by its size: `atEightB + perDoubling × log2(billions / 8)`. */
  bySize: { atEightB: number; perDoubling: number }
  /** Ability of a remote model known only by its price: `atOneDollar + perDoubling × log2(USD per million output tokens)`. */
  byPrice: { atOneDollar: number; perDoubling: number }
}

/** Weights of another version were made for other code and are not used. */
export const weightsVersion = 1

export const shippedWeightsFile = path.join(import.meta.dirname, 'weights.json')

/** Weights, or why there are none; the router then works from sizes, prices and what it observes. */
export type LoadedWeights = { weights: Weights } | { weights: undefined; problem: string }

/** Reads a weights file. Never throws: what is wrong with it is said in `problem`, for the log. */
export function loadWeights(file: string = shippedWeightsFile): LoadedWeights {
  try {
    const weights = JSON.parse(readFileSync(file, 'utf8')) as Partial<Weights>
    if (weights.version !== weightsVersion) {
      return problem(file, `has version ${weights.version}, but ${weightsVersion} is needed`)
    }
    if (weights.text === undefined || weights.models === undefined) return problem(file, 'is incomplete')
    return { weights: weights as Weights }
  } catch (error) {
    return problem(file, `cannot be read (${(error as Error).message})`)
  }
}

function problem(file: string, what: string): LoadedWeights {
  return {
    weights: undefined,
    problem: `The router's weights ${file} ${what}; run \`npm run train:router\`. Until then quality is guessed from size and price.`,
  }
}
