import type { Vector } from '../../src/router/text/vector.ts'

/** A linear score of vectors: `intercept + words · values + smooth · smooth`. */
export interface Linear {
  intercept: number
  words: Float32Array
  smooth: Float32Array
}

/**
 * Ridge regression, `min |Xw + b - y|² + penalty |w|²`, by conjugate gradients on the normal equations. `b` is the mean of
 * `targets`. Deterministic; stops when the residual has shrunk a thousandfold.
 */
export function fitRidge(
  vectors: readonly Vector[],
  targets: Float64Array,
  shape: { buckets: number; smooth: number },
  penalty: number,
  maxRounds = 80,
): Linear {
  const rows = packRows(vectors, shape.smooth)
  const size = shape.buckets + shape.smooth
  let intercept = 0
  for (const target of targets) intercept += target / targets.length
  const centred = targets.map(target => target - intercept)
  const weights = new Float64Array(size)
  const residual = transposed(rows, centred, shape.buckets, size)
  const direction = residual.slice()
  let norm = dot(residual, residual)
  const enough = norm * 1e-6
  for (let round = 0; round < maxRounds && norm > enough; round++) {
    const image = transposed(rows, times(rows, direction, shape.buckets), shape.buckets, size)
    for (let at = 0; at < size; at++) image[at]! += penalty * direction[at]!
    const step = norm / dot(direction, image)
    for (let at = 0; at < size; at++) {
      weights[at]! += step * direction[at]!
      residual[at]! -= step * image[at]!
    }
    const next = dot(residual, residual)
    const keep = next / norm
    norm = next
    for (let at = 0; at < size; at++) direction[at] = residual[at]! + keep * direction[at]!
  }
  return {
    intercept,
    words: Float32Array.from(weights.subarray(0, shape.buckets)),
    smooth: Float32Array.from(weights.subarray(shape.buckets)),
  }
}

export function score(linear: Linear, vector: Vector): number {
  let sum = linear.intercept
  for (let at = 0; at < vector.buckets.length; at++) sum += linear.words[vector.buckets[at]!]! * vector.values[at]!
  for (let at = 0; at < linear.smooth.length; at++) sum += linear.smooth[at]! * vector.smooth[at]!
  return sum
}

interface Rows {
  starts: Int32Array
  buckets: Int32Array
  values: Float32Array
  smooth: Float32Array
  smoothSize: number
}

function packRows(vectors: readonly Vector[], smoothSize: number): Rows {
  const starts = new Int32Array(vectors.length + 1)
  for (const [row, vector] of vectors.entries()) starts[row + 1] = starts[row]! + vector.buckets.length
  const total = starts[vectors.length]!
  const rows: Rows = {
    starts,
    buckets: new Int32Array(total),
    values: new Float32Array(total),
    smooth: new Float32Array(vectors.length * smoothSize),
    smoothSize,
  }
  for (const [row, vector] of vectors.entries()) {
    rows.buckets.set(vector.buckets, starts[row])
    rows.values.set(vector.values, starts[row])
    rows.smooth.set(vector.smooth, row * smoothSize)
  }
  return rows
}

function times(
  { starts, buckets, values, smooth, smoothSize }: Rows,
  weights: Float64Array,
  from: number,
): Float64Array {
  const result = new Float64Array(starts.length - 1)
  for (let row = 0; row < result.length; row++) {
    let sum = 0
    for (let at = starts[row]!; at < starts[row + 1]!; at++) sum += weights[buckets[at]!]! * values[at]!
    const base = row * smoothSize
    for (let at = 0; at < smoothSize; at++) sum += weights[from + at]! * smooth[base + at]!
    result[row] = sum
  }
  return result
}

function transposed(rows: Rows, column: Float64Array, from: number, size: number): Float64Array {
  const { starts, buckets, values, smooth, smoothSize } = rows
  const result = new Float64Array(size)
  for (let row = 0; row < column.length; row++) {
    const factor = column[row]!
    for (let at = starts[row]!; at < starts[row + 1]!; at++) result[buckets[at]!]! += factor * values[at]!
    const base = row * smoothSize
    for (let at = 0; at < smoothSize; at++) result[from + at]! += factor * smooth[base + at]!
  }
  return result
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!
  return sum
}
