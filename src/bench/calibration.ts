import { wilson, type Interval } from './statistics.ts'

/** The prediction made before a task, and whether the task then passed. */
export interface Prediction {
  /** Predicted probability of passing, 0 to 1. */
  predicted: number
  passed: boolean
}

export interface Bin extends Interval {
  /** Mean prediction of the bin; `value` is its pass rate. */
  predicted: number
  count: number
}

export interface Calibration {
  count: number
  /** Mean squared error; 0.25 is the score of always predicting one half. */
  brier: number
  /** Expected calibration error: mean distance between prediction and pass rate over the bins, weighted by their counts. */
  error: number
  /** Predictions in tenths, empty ones left out. A calibrated router's prediction is within nearly every interval. */
  bins: Bin[]
}

/** How well predicted quality agrees with results. Sources: Brier 1950; Naeini et al. 2015 for the binned error. */
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
