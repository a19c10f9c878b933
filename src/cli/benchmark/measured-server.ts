import type { BenchmarkCandidate } from '../../bench/results.ts'
import type { AskModel, BenchmarkOptions } from '../../bench/runner.ts'

/** What a benchmark needs of whoever serves the models. */
export interface MeasuredServer {
  ask: AskModel
  models: (signal: AbortSignal) => Promise<ServedModel[]>
  /** The router's prediction, where a router stands before the models. */
  predict?: NonNullable<BenchmarkOptions['predict']>
  /** Resolves when nobody else waits for the models. */
  turn: (signal: AbortSignal) => Promise<void>
  close: () => Promise<void>
}

export interface ServedModel {
  candidate: BenchmarkCandidate
  /** Runs on a machine of ours, so that measuring it asks nothing of anybody else. */
  own: boolean
}
