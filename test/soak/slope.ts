export interface Sample {
  requests: number
  residentMb: number
}

export interface Slope {
  /** MB per 100,000 requests, with its 95 % interval. */
  value: number
  low: number
  high: number
}

/** Half the width of a 95 % interval, in standard errors. */
const z95 = 1.96

/** How resident memory grows with requests: least squares. At least three samples of different counts. */
export function slopeOf(samples: readonly Sample[]): Slope {
  const n = samples.length
  const x = samples.map(({ requests }) => requests / 100_000)
  const y = samples.map(({ residentMb }) => residentMb)
  const meanX = mean(x)
  const meanY = mean(y)
  const sxx = x.reduce((sum, each) => sum + (each - meanX) ** 2, 0)
  const value = x.reduce((sum, each, at) => sum + (each - meanX) * (y[at]! - meanY), 0) / sxx
  const residual = x.reduce((sum, each, at) => sum + (y[at]! - meanY - value * (each - meanX)) ** 2, 0)
  const error = z95 * Math.sqrt(residual / (n - 2) / sxx)
  return { value, low: value - error, high: value + error }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length
}
