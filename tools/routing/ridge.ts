import type { Vector } from '../../src/router/text/vector.ts'

/** A linear score of vectors: the intercept plus the inner product with each part. */
export interface Linear {
  intercept: number
  words: Float32Array
  waves: Float32Array
  style: Float32Array
  plain: Float32Array
}

/**
 * One ridge regression: what it predicts, from which part of the vectors, and how strongly it is held back. `form` is waves and
 * style, `topic` words and waves, `both` all three.
 */
export interface RidgeTask {
  targets: Float64Array
  part: 'words' | 'form' | 'topic' | 'both' | 'plain'
  penalty: number
  /** One for each row; all 1 when absent. */
  weights?: Float64Array
}

const maxRounds = 60
/** A task is done when its squared residual has shrunk so far. */
const tolerance = 1e-6

/**
 * Several ridge regressions over the same vectors, `min Σ weight (x·w + b − y)² + penalty |w|²`, by conjugate gradients on the
 * normal equations (Hestenes and Stiefel 1952), all in one pass over the rows; `b` is the weighted mean of the targets.
 * Deterministic. The weights of one feature lie side by side, one for each task.
 */
export function fitRidges(vectors: readonly Vector[], tasks: readonly RidgeTask[], size: number): Linear[] {
  const rows = packRows(vectors, size)
  const count = tasks.length
  const intercepts = tasks.map(({ targets, weights }) => weightedMean(targets, weights))
  const centered = new Float64Array(rows.count * count)
  for (let row = 0; row < rows.count; row++) {
    for (const [index, { targets, weights }] of tasks.entries()) {
      centered[row * count + index] = (weights?.[row] ?? 1) * (targets[row]! - intercepts[index]!)
    }
  }
  const penalties = tasks.map(({ penalty }) => penalty)
  const solution = new Float64Array(rows.features * count)
  const residual = transposed(rows, centered, tasks)
  const direction = residual.slice()
  let norms = dots(residual, residual, count)
  const enough = norms.map(norm => norm * tolerance)
  for (let round = 0; round < maxRounds && norms.some((norm, index) => norm > enough[index]!); round++) {
    const image = transposed(rows, times(rows, direction, tasks), tasks)
    addScaled(image, direction, penalties)
    const curvature = dots(direction, image, count)
    const steps = norms.map((norm, index) =>
      norm <= enough[index]! || curvature[index] === 0 ? 0 : norm / curvature[index]!,
    )
    addScaled(solution, direction, steps)
    addScaled(
      residual,
      image,
      steps.map(step => -step),
    )
    const next = dots(residual, residual, count)
    // A task that is done takes no more steps, so that its direction does not matter.
    const keep = next.map((norm, index) => (norms[index] === 0 ? 0 : norm / norms[index]!))
    for (let from = 0; from < direction.length; from += count) {
      for (let task = 0; task < count; task++) {
        direction[from + task] = residual[from + task]! + keep[task]! * direction[from + task]!
      }
    }
    norms = next
  }
  return tasks.map((_, task) => ({
    intercept: intercepts[task]!,
    words: spread(rows.used, size, index => solution[index * count + task]!),
    waves: Float32Array.from(
      { length: rows.waves },
      (_, index) => solution[(rows.used.length + index) * count + task]!,
    ),
    style: Float32Array.from({ length: rows.style }, (_, index) => {
      return solution[(rows.used.length + rows.waves + index) * count + task]!
    }),
    plain: Float32Array.from({ length: rows.dense - rows.waves - rows.style }, (_, index) => {
      return solution[(rows.used.length + rows.waves + rows.style + index) * count + task]!
    }),
  }))
}

/** What `linear` says of a vector. */
export function score(linear: Linear, vector: Vector): number {
  let sum = linear.intercept
  for (let index = 0; index < vector.features.length; index++)
    sum += linear.words[vector.features[index]!]! * vector.values[index]!
  for (let index = 0; index < linear.waves.length; index++) sum += linear.waves[index]! * vector.waves[index]!
  for (let index = 0; index < linear.style.length; index++) sum += linear.style[index]! * vector.style[index]!
  for (let index = 0; index < linear.plain.length; index++) sum += linear.plain[index]! * vector.plain[index]!
  return sum
}

/** The mean of several linear scores, which is a linear score again. */
export function averageOf(linears: readonly Linear[]): Linear {
  const share = 1 / linears.length
  const average = (pick: (linear: Linear) => Float32Array) =>
    pick(linears[0]!).map((_, index) => linears.reduce((sum, linear) => sum + share * pick(linear)[index]!, 0))
  return {
    intercept: linears.reduce((sum, { intercept }) => sum + share * intercept, 0),
    words: average(({ words }) => words),
    waves: average(({ waves }) => waves),
    style: average(({ style }) => style),
    plain: average(({ plain }) => plain),
  }
}

interface Rows {
  count: number
  features: number
  /** The features that occur, which are all that is solved for. */
  used: Int32Array
  /** Of a row's `dense` figures, so many are waves, then so many of style; the plain ones follow. */
  waves: number
  style: number
  dense: number
  starts: Int32Array
  /** Places in `used`. */
  places: Int32Array
  values: Float32Array
  figures: Float32Array
}

function packRows(vectors: readonly Vector[], size: number): Rows {
  const starts = new Int32Array(vectors.length + 1)
  for (const [row, vector] of vectors.entries()) starts[row + 1] = starts[row]! + vector.features.length
  const total = starts[vectors.length]!
  const waves = vectors[0]?.waves.length ?? 0
  const style = vectors[0]?.style.length ?? 0
  const dense = waves + style + (vectors[0]?.plain.length ?? 0)
  const placeOf = new Int32Array(size).fill(-1)
  for (const vector of vectors) for (const feature of vector.features) placeOf[feature] = 0
  const used = Int32Array.from(placeOf.keys()).filter(feature => placeOf[feature] === 0)
  for (const [place, feature] of used.entries()) placeOf[feature] = place
  const rows: Rows = {
    count: vectors.length,
    features: used.length + dense,
    used,
    waves,
    style,
    dense,
    starts,
    places: new Int32Array(total),
    values: new Float32Array(total),
    figures: new Float32Array(vectors.length * dense),
  }
  for (const [row, vector] of vectors.entries()) {
    for (const [index, feature] of vector.features.entries()) rows.places[starts[row]! + index] = placeOf[feature]!
    rows.values.set(vector.values, starts[row])
    rows.figures.set(vector.waves, row * dense)
    rows.figures.set(vector.style, row * dense + waves)
    rows.figures.set(vector.plain, row * dense + waves + style)
  }
  return rows
}

/** Values of the used features among all of them. */
function spread(used: Int32Array, size: number, value: (place: number) => number): Float32Array {
  const all = new Float32Array(size)
  for (const [place, feature] of used.entries()) all[feature] = value(place)
  return all
}

/** Weighted predictions, row by row, of the feature weights in `features`. */
function times(rows: Rows, features: Float64Array, tasks: readonly RidgeTask[]): Float64Array {
  const count = tasks.length
  const result = new Float64Array(rows.count * count)
  for (let row = 0; row < rows.count; row++) {
    const to = row * count
    for (let index = rows.starts[row]!; index < rows.starts[row + 1]!; index++) {
      const from = rows.places[index]! * count
      const value = rows.values[index]!
      for (let task = 0; task < count; task++) result[to + task]! += value * features[from + task]!
    }
    for (let index = 0; index < rows.dense; index++) {
      const from = (rows.used.length + index) * count
      const value = rows.figures[row * rows.dense + index]!
      for (let task = 0; task < count; task++) result[to + task]! += value * features[from + task]!
    }
    for (let task = 0; task < count; task++) result[to + task]! *= tasks[task]!.weights?.[row] ?? 1
  }
  return result
}

/** Each feature's sum over the rows; features outside a task's part stay 0, so that they are never used. */
function transposed(rows: Rows, columns: Float64Array, tasks: readonly RidgeTask[]): Float64Array {
  const count = tasks.length
  const uses = (parts: readonly RidgeTask['part'][]) =>
    Float64Array.from(tasks, ({ part }) => (parts.includes(part) ? 1 : 0))
  const words = uses(['words', 'topic', 'both'])
  const waves = uses(['form', 'topic', 'both'])
  const style = uses(['form', 'both'])
  const plain = uses(['plain'])
  const result = new Float64Array(rows.features * count)
  for (let row = 0; row < rows.count; row++) {
    const from = row * count
    for (let index = rows.starts[row]!; index < rows.starts[row + 1]!; index++) {
      const to = rows.places[index]! * count
      const value = rows.values[index]!
      for (let task = 0; task < count; task++) result[to + task]! += value * columns[from + task]! * words[task]!
    }
    for (let index = 0; index < rows.dense; index++) {
      const used = index < rows.waves ? waves : index < rows.waves + rows.style ? style : plain
      const to = (rows.used.length + index) * count
      const value = rows.figures[row * rows.dense + index]!
      for (let task = 0; task < count; task++) result[to + task]! += value * columns[from + task]! * used[task]!
    }
  }
  return result
}

/** The inner product of each task's column. */
function dots(a: Float64Array, b: Float64Array, count: number): number[] {
  const sums = new Float64Array(count)
  for (let from = 0; from < a.length; from += count) {
    for (let task = 0; task < count; task++) sums[task]! += a[from + task]! * b[from + task]!
  }
  return [...sums]
}

/** `to += factor × what`, with each task's own factor. */
function addScaled(to: Float64Array, what: Float64Array, factors: readonly number[]): void {
  const count = factors.length
  for (let from = 0; from < to.length; from += count) {
    for (let task = 0; task < count; task++) to[from + task]! += factors[task]! * what[from + task]!
  }
}

function weightedMean(values: Float64Array, weights: Float64Array | undefined): number {
  let sum = 0
  let total = 0
  for (const [index, value] of values.entries()) {
    const weight = weights?.[index] ?? 1
    sum += weight * value
    total += weight
  }
  return total === 0 ? 0 : sum / total
}
