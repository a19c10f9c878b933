import type { BenchmarkCandidate } from '../../bench/results.ts'
import type { AskModel, BenchmarkOptions } from '../../bench/runner.ts'

/** What a benchmark needs of the server of the models. */
export interface MeasuredServer {
  ask: AskModel
  models: (signal: AbortSignal) => Promise<ServedModel[]>
  /** The router's prediction, if a router is in front of the models. */
  predict?: NonNullable<BenchmarkOptions['predict']>
  /** Resolves when no other request waits for the models. */
  turn: (signal: AbortSignal) => Promise<void>
  close: () => Promise<void>
}

export interface ServedModel {
  candidate: BenchmarkCandidate
  /** Runs on a local machine, so that measuring it loads no third party. */
  own: boolean
}
