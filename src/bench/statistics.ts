/** A share with its 95 % bounds. */
export interface Interval {
  value: number
  low: number
  high: number
}

const z95 = 1.959963984540054

/**
 * Wilson's score interval for a pass rate, 95 %. `passed` may be fractional (tasks repeated and averaged).
 * Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).
 */
export function wilson(passed: number, total: number): Interval {
  if (total === 0) return { value: 0, low: 0, high: 1 }
  const share = passed / total
  const scale = 1 + z95 ** 2 / total
  const middle = (share + z95 ** 2 / (2 * total)) / scale
  const half = (z95 / scale) * Math.sqrt((share * (1 - share)) / total + z95 ** 2 / (4 * total ** 2))
  return { value: share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

export interface Count {
  passed: number
  total: number
}

/** The probability that the first rate is higher than the second, both Beta under uniform priors (Simpson's rule). */
export function probabilityBetter(first: Count, second: Count): number {
  const [a, b] = [first.passed + 1, first.total - first.passed + 1]
  const [c, d] = [second.passed + 1, second.total - second.passed + 1]
  const steps = 400
  let sum = 0
  for (let index = 0; index <= steps; index++) {
    const x = index / steps
    const weight = index === 0 || index === steps ? 1 : index % 2 === 1 ? 4 : 2
    sum += weight * betaDensity(x, a, b) * betaCumulative(x, c, d)
  }
  return Math.min(1, sum / (3 * steps))
}

/**
 * Two-sided exact McNemar test: the probability of discordant pairs at least this lopsided when both models are equally
 * good. Source: Q. McNemar, Psychometrika 12 (1947), in its exact binomial form.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const total = onlyFirst + onlySecond
  let tail = 0
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) tail += Math.exp(logChoose(total, k) - total * Math.LN2)
  return Math.min(1, 2 * tail)
}

/**
 * Percentile bootstrap (Efron 1979) of a mean of paired differences, 95 %.
 *
 * @param random uniform numbers in [0, 1)
 */
export function pairedBootstrap(differences: readonly number[], random: () => number, rounds = 2_000): Interval {
  const total = differences.length
  if (total === 0) return { value: 0, low: -1, high: 1 }
  const means = Array.from({ length: rounds }, () => {
    let sum = 0
    for (let index = 0; index < total; index++) sum += differences[Math.floor(random() * total)]!
    return sum / total
  }).sort((a, b) => a - b)
  const value = differences.reduce((sum, difference) => sum + difference, 0) / total
  return { value, low: means[Math.floor(rounds * 0.025)]!, high: means[Math.ceil(rounds * 0.975) - 1]! }
}

/** The median; `undefined` for no values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? sorted[middle]
    : sorted.length === 0
      ? undefined
      : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The Beta distribution's cumulative probability: the regularised incomplete beta function. */
export function betaCumulative(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(a * Math.log(x) + b * Math.log(1 - x) - logBeta(a, b))
  // The continued fraction converges fast only below the mean; above it, symmetry is used.
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b
}

/** Lentz's algorithm for the continued fraction of the incomplete beta function (DLMF 8.17.22). */
function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  const guarded = (value: number) => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / guarded(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let m = 1; m <= 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / guarded(1 + even * d)
    c = guarded(1 + even / c)
    result *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / guarded(1 + odd * d)
    c = guarded(1 + odd / c)
    result *= d * c
    if (Math.abs(d * c - 1) < 1e-13) break
  }
  return result
}

function betaDensity(x: number, a: number, b: number): number {
  if ((x === 0 && a > 1) || (x === 1 && b > 1)) return 0
  const power = (base: number, exponent: number) => (exponent === 0 ? 0 : exponent * Math.log(base))
  return Math.exp(power(x, a - 1) + power(1 - x, b - 1) - logBeta(a, b))
}

const logBeta = (a: number, b: number) => logGamma(a) + logGamma(b) - logGamma(a + b)
const logChoose = (n: number, k: number) => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)

/** Stirling's series (DLMF 5.11.1) after shifting the argument above 10; relative error below 1e-13. */
function logGamma(x: number): number {
  let shift = 0
  let z = x
  for (; z < 10; z++) shift -= Math.log(z)
  const series = 1 / (12 * z) - 1 / (360 * z ** 3) + 1 / (1_260 * z ** 5) - 1 / (1_680 * z ** 7)
  return shift + (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series
}
