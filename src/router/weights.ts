import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { PackedText } from './text/judge.ts'

/** What one model scored at one kind of task, in public data. */
export interface Rate {
  rate: number
  count: number
}

/** What is usual for one kind of task. */
export interface KindFacts {
  /** Mean score of the models measured at it, 0..1. */
  rate: number
  /** Log odds that a model of ability 0 fails. */
  difficulty: number
  /** Mean ability of the models measured at it, log odds. */
  ability: number
  /** Output tokens, where the data tells. */
  outputTokens?: number
}

/** What public data says of one model. */
export interface ModelFacts {
  /** Log odds, on one scale for all tables. */
  ability: number
  /** By kind of task. */
  rates: Record<string, Rate>
  /** Loadings of the text's skills, where they were measured for this model. */
  skills?: number[]
  /** Mean output tokens by kind of task, where the data tells. */
  outputTokens?: Record<string, number>
}

/** What `npm run train:router` makes and the router starts from. */
export interface Weights {
  version: number
  text: PackedText
  kinds: Record<string, KindFacts>
  /** By canonical model name. */
  models: Record<string, ModelFacts>
}

/** Weights of another version were made for other code and are not used. */
export const weightsVersion = 4

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
    if (weights.text === undefined || weights.kinds === undefined || weights.models === undefined)
      return problem(file, 'is incomplete')
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
