/** A distribution of durations that takes the same little memory for a hundred values as for a million. */
export interface Latency {
  add: (ms: number) => void
  /** Mean of the exact values, then rounded like them; null without values. */
  mean: () => number | null
  /** The smallest value that at least `percent` percent do not exceed, rounded; null without values. */
  percentile: (percent: number) => number | null
}

/** Rounds to the millisecond below a second and to three digits above, which leaves at most 900 values per power of ten. */
export function createLatency(): Latency {
  const counts = new Map<number, number>()
  let total = 0
  let sum = 0
  return {
    add: ms => {
      const kept = rounded(ms)
      counts.set(kept, (counts.get(kept) ?? 0) + 1)
      total += 1
      sum += ms
    },
    mean: () => (total === 0 ? null : rounded(sum / total)),
    percentile: percent => {
      let left = Math.ceil((total * percent) / 100)
      for (const value of [...counts.keys()].sort((a, b) => a - b)) {
        left -= counts.get(value)!
        if (left <= 0) return value
      }
      return null
    },
  }
}

function rounded(ms: number): number {
  if (ms < 1_000) return Math.round(ms)
  const step = 10 ** (Math.floor(Math.log10(ms)) - 2)
  return Math.round(ms / step) * step
}
