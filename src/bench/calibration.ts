import { wilson, type Interval } from './statistics.ts'

/** What was predicted before a task was done, and whether it then passed. */
export interface Prediction {
  /** Predicted probability of passing, 0 to 1. */
  predicted: number
  passed: boolean
}

export interface Bin extends Interval {
  /** Mean prediction of the bin; `value` is the share that passed. */
  predicted: number
  count: number
}

export interface Calibration {
  count: number
  /** Mean squared difference; 0.25 is what always saying one half earns. */
  brier: number
  /** Expected calibration error: mean distance of prediction and pass rate over the bins, weighted by their counts. */
  error: number
  /** Predictions in tenths, empty ones left out. A calibrated router's prediction lies within nearly every interval. */
  bins: Bin[]
}

/** How well predictions of quality agree with results. Sources: Brier 1950; Naeini et al. 2015 for the binned error. */
export function calibration(predictions: readonly Prediction[]): Calibration {
  const tenth = ({ predicted }: Prediction) => Math.min(9, Math.floor(predicted * 10))
  const bins = Array.from({ length: 10 }, (_, index) => predictions.filter(prediction => tenth(prediction) === index))
    .filter(members => members.length > 0)
    .map(members => ({
      ...wilson(members.filter(({ passed }) => passed).length, members.length),
      predicted: mean(members.map(({ predicted }) => predicted)),
      count: members.length,
    }))
  const weighted = bins.map(({ count, predicted, value }) => (count / predictions.length) * Math.abs(predicted - value))
  return {
    count: predictions.length,
    brier: mean(predictions.map(({ predicted, passed }) => (predicted - Number(passed)) ** 2)),
    error: weighted.reduce((sum, part) => sum + part, 0),
    bins,
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
