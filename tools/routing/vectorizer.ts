import { seededRandom } from '../../src/router/chance.ts'
import { createLikeness, landmarkSteps, standardize, type Landmarks } from '../../src/router/text/landmarks.ts'
import { figureCount, type Reading } from '../../src/router/text/reading.ts'
import { styleCount } from '../../src/router/text/style.ts'
import { completeVectorizer, createCounter, type Vectorizer, type VectorShape } from '../../src/router/text/vector.ts'
import { clusterCenters } from './cluster.ts'

/** Words and pairs of fewer texts are left out: what they say is chance. */
const minTexts = 3
/** Texts that the landmarks are found among. */
const maxSample = 4000

/** Learns rarity, the figures' spread and the landmarks from `readings`. Deterministic. */
export function fitVectorizer(readings: readonly Reading[], shape: VectorShape): Vectorizer {
  const seen = new Float64Array(shape.buckets)
  const counter = createCounter(Int32Array.from(seen.keys()))
  for (const reading of readings) {
    counter.count(reading.tokens)
    for (let index = 0; index < counter.size; index++) seen[counter.touched[index]!]!++
    counter.reset()
  }
  const features = Int32Array.from(seen.keys()).filter(bucket => seen[bucket]! >= minTexts)
  const rarity = Float32Array.from(features, bucket => 1 + Math.log((1 + readings.length) / (1 + seen[bucket]!)))
  const form = spreadOf(
    readings.map(({ figures }) => figures),
    figureCount,
  )
  const landmarks = landmarksOf(
    readings.map(({ style }) => style),
    shape.landmarks,
  )
  return completeVectorizer({ shape, features, rarity, ...form, landmarks })
}

/** The mean of each figure and its standard deviation. */
function spreadOf(rows: readonly Float64Array[], count: number): { center: Float64Array; scale: Float64Array } {
  const center = new Float64Array(count)
  const variance = new Float64Array(count)
  for (const row of rows) for (let index = 0; index < count; index++) center[index]! += row[index]! / rows.length
  for (const row of rows)
    for (let index = 0; index < count; index++) variance[index]! += (row[index]! - center[index]!) ** 2 / rows.length
  return { center, scale: variance.map(Math.sqrt) }
}

/** Typical ways of writing: the centers of clusters of texts. */
function landmarksOf(styles: readonly Float64Array[], count: number): Landmarks {
  const spread = spreadOf(styles, styleCount)
  const step = Math.max(1, styles.length / maxSample)
  const sample = Array.from({ length: Math.min(styles.length, maxSample) }, (_, index) => {
    const figures = new Float64Array(styleCount)
    standardize(styles[Math.floor(index * step)]!, spread, figures)
    return figures
  })
  // Without any text the mean is the only way of writing that is known.
  if (sample.length === 0) sample.push(new Float64Array(styleCount))
  const centers = clusterCenters(sample, count, seededRandom(20_240_611))
  const places = centers.flatMap(center => Array.from(center, figure => Math.round(figure * landmarkSteps)))
  return { ...spread, places: Int8Array.from(places) }
}

/** Keeps landmarks that are nearly alike from making weights that cancel each other out beyond what numbers can hold. */
const jitter = 1e-4

/** Likenesses, turned so that its inner products are those of the kernel (Williams and Seeger 2000), and back. */
export interface Whitening {
  /** Likenesses to the landmarks as coordinates. */
  forward: (likenesses: Float32Array) => Float32Array
  /** The weights of coordinates as weights of likenesses. */
  back: (weights: Float32Array) => Float32Array
}

/** By the Cholesky factor of the kernel between the landmarks. */
export function whiteningOf(landmarks: Landmarks): Whitening {
  const { center, scale, places } = landmarks
  const size = places.length / styleCount
  const likeness = createLikeness(landmarks)
  const factor = new Float64Array(size * size)
  for (let row = 0; row < size; row++) {
    const figures = Float64Array.from(
      { length: styleCount },
      (_, index) => center[index]! + (scale[index]! * places[row * styleCount + index]!) / landmarkSteps,
    )
    const kernel = likeness(figures)
    for (let column = 0; column <= row; column++) {
      let sum = kernel[column]! + (row === column ? jitter : 0)
      for (let index = 0; index < column; index++) sum -= factor[row * size + index]! * factor[column * size + index]!
      factor[row * size + column] =
        row === column ? Math.sqrt(Math.max(jitter, sum)) : sum / factor[column * size + column]!
    }
  }
  return {
    forward(likenesses) {
      const result = new Float32Array(size)
      for (let row = 0; row < size; row++) {
        let sum = likenesses[row]!
        for (let index = 0; index < row; index++) sum -= factor[row * size + index]! * result[index]!
        result[row] = sum / factor[row * size + row]!
      }
      return result
    },
    back(weights) {
      const result = new Float64Array(size)
      for (let row = size - 1; row >= 0; row--) {
        let sum = weights[row]!
        for (let index = row + 1; index < size; index++) sum -= factor[index * size + row]! * result[index]!
        result[row] = sum / factor[row * size + row]!
      }
      return Float32Array.from(result)
    },
  }
}
