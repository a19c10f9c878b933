import { probabilityBetter, wilson, type Count } from './statistics.ts'

/** When a cell (one model on one suite) has been measured enough. */
export interface StoppingRule {
  /** Items of a cell between two checks. Checking after every item would decide too often by chance. */
  batch: number
  /** A 95 % interval at most this wide is narrow enough. */
  width: number
  /** A pair of models is ordered when one is better with at least this probability. */
  certainty: number
}

/**
 * With checks after 4, 8 and 12 of about 15 items, two equally good models are called different in fewer than 5 % of
 * runs (measured by `test/bench/stopping.test.ts`), and a perfect and a useless one are separated by the first four.
 */
export const defaultStopping: StoppingRule = { batch: 4, width: 0.25, certainty: 0.99 }

export type StoppingVerdict = 'go on' | 'narrow enough' | 'ranking decided'

/** Whether a cell of one suite needs more items, given the counts of all models on that suite. */
export function decideCell(own: Count, others: readonly Count[], rule: StoppingRule): StoppingVerdict {
  if (own.total < rule.batch) return 'go on'
  const { low, high } = wilson(own.passed, own.total)
  if (high - low <= rule.width) return 'narrow enough'
  if (others.length === 0) return 'go on'
  const ordered = (other: Count) => {
    const better = probabilityBetter(own, other)
    return Math.max(better, 1 - better) >= rule.certainty
  }
  return others.every(other => other.total >= rule.batch && ordered(other)) ? 'ranking decided' : 'go on'
}
