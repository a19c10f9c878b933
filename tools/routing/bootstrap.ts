import { seededRandom } from '../../src/router/chance.ts'

/** A mean and its 95 % bootstrap interval. */
export interface Bound {
  value: number
  low: number
  high: number
}

const replicates = 400

/** Resamples rows. Given differences of two methods row by row, this is the paired interval of their difference. */
export function meanBound(values: readonly number[]): Bound {
  const random = seededRandom(11)
  const means = Array.from({ length: replicates }, () => {
    let total = 0
    for (let draw = 0; draw < values.length; draw++) total += values[Math.floor(random() * values.length)]!
    return total / values.length
  })
  return {
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
    low: quantile(means, 0.025),
    high: quantile(means, 0.975),
  }
}

/** How often each of `size` rows is drawn, with replacement. */
export function resample(size: number, random: () => number): Uint8Array {
  const weights = new Uint8Array(size)
  for (let draw = 0; draw < size; draw++) weights[Math.floor(random() * size)]!++
  return weights
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}
