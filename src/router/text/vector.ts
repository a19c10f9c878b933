import { finalize, gaussian, seededRandom } from '../chance.ts'
import { figureCount, type Reading } from './reading.ts'

/** How readings become vectors: a sparse part of words and word pairs, and a smooth part made from the figures. */
export interface VectorShape {
  /** Words and pairs are hashed into this many buckets, a power of two. */
  buckets: number
  /** Size of the smooth part. */
  waves: number
  /** Width of the smooth part's kernel: larger forgets faster. */
  sharpness: number
  /** What the smooth part weighs against the words. */
  smoothWeight: number
}

/** What must be learned from texts (not from labels) before anything can become a vector. */
export interface Vectorizer {
  shape: VectorShape
  /** Inverse document frequency by bucket; 0 where a bucket was seen in fewer than two texts. */
  rarity: Float32Array
  center: Float64Array
  scale: Float64Array
  /** waves × figureCount directions, then phases; made from a seed, so that only the seed is stored. */
  directions: Float64Array
  phases: Float64Array
}

export interface Vector {
  buckets: Int32Array
  values: Float32Array
  /** `waves` cosines of the figures. */
  waves: Float32Array
  /** The figures themselves, in deviations: they extrapolate where the waves fall silent. */
  plain: Float32Array
}

/** Makes the squared length of the plain figures about 1. */
const plainWeight = 1 / Math.sqrt(figureCount)

/** Learns rarity and the figures' spread from `readings`. */
export function fitVectorizer(readings: readonly Reading[], shape: VectorShape): Vectorizer {
  const seen = new Float64Array(shape.buckets)
  const counter = createCounter(shape.buckets)
  for (const reading of readings) {
    counter.count(reading.tokens)
    for (let index = 0; index < counter.size; index++) seen[counter.touched[index]!]!++
    counter.reset()
  }
  const rarity = new Float32Array(shape.buckets)
  for (let bucket = 0; bucket < shape.buckets; bucket++) {
    if (seen[bucket]! >= 2) rarity[bucket] = 1 + Math.log((1 + readings.length) / (1 + seen[bucket]!))
  }
  const center = new Float64Array(figureCount)
  const scale = new Float64Array(figureCount)
  for (const { figures } of readings)
    for (let index = 0; index < figureCount; index++) center[index]! += figures[index]! / readings.length
  for (const { figures } of readings) {
    for (let index = 0; index < figureCount; index++)
      scale[index]! += (figures[index]! - center[index]!) ** 2 / readings.length
  }
  return completeVectorizer(shape, rarity, center, scale.map(Math.sqrt))
}

/** Adds the random directions, which are the same for the same shape. */
export function completeVectorizer(
  shape: VectorShape,
  rarity: Float32Array,
  center: Float64Array,
  scale: Float64Array,
): Vectorizer {
  const random = seededRandom(20_240_611)
  const spread = Math.sqrt((2 * shape.sharpness) / figureCount)
  const directions = Float64Array.from({ length: shape.waves * figureCount }, () => spread * gaussian(random))
  const phases = Float64Array.from({ length: shape.waves }, () => 2 * Math.PI * random())
  return { shape, rarity, center, scale, directions, phases }
}

/**
 * Turns readings into vectors; reuses its own scratch space, so one vectorizer makes one vector at a time.
 * The smooth part is random Fourier features of a Gaussian kernel (Rahimi and Recht 2007); words are sublinear tf-idf.
 */
export function createVectorMaker(vectorizer: Vectorizer): (reading: Reading) => Vector {
  const { shape, rarity, center, scale, directions, phases } = vectorizer
  const counter = createCounter(shape.buckets)
  const figures = new Float64Array(figureCount)
  return reading => {
    counter.count(reading.tokens)
    let kept = 0
    let squares = 0
    const buckets = new Int32Array(counter.size)
    const values = new Float32Array(counter.size)
    for (let index = 0; index < counter.size; index++) {
      const bucket = counter.touched[index]!
      const count = counter.counts[bucket]!
      const weight = rarity[bucket]! * (count === 1 ? 1 : 1 + Math.log(count))
      if (weight === 0) continue
      buckets[kept] = bucket
      values[kept++] = weight
      squares += weight * weight
    }
    counter.reset()
    const norm = squares === 0 ? 0 : 1 / Math.sqrt(squares)
    for (let index = 0; index < kept; index++) values[index]! *= norm
    for (let index = 0; index < figureCount; index++) {
      const spread = scale[index]!
      // A figure that never varied says nothing; beyond four deviations it only says "far away".
      figures[index] =
        spread < 1e-9 ? 0 : Math.max(-4, Math.min(4, (reading.figures[index]! - center[index]!) / spread))
    }
    const waves = new Float32Array(shape.waves)
    const height = Math.sqrt((2 * shape.smoothWeight) / Math.max(1, shape.waves))
    for (let wave = 0; wave < shape.waves; wave++) {
      let angle = phases[wave]!
      const from = wave * figureCount
      for (let index = 0; index < figureCount; index++) angle += directions[from + index]! * figures[index]!
      waves[wave] = height * Math.cos(angle)
    }
    const plain = Float32Array.from(figures, figure => figure * plainWeight)
    return { buckets: buckets.subarray(0, kept), values: values.subarray(0, kept), waves, plain }
  }
}

interface Counter {
  counts: Uint16Array
  touched: Int32Array
  size: number
  count(tokens: Int32Array): void
  reset(): void
}

function createCounter(buckets: number): Counter {
  const mask = buckets - 1
  const counter: Counter = {
    counts: new Uint16Array(buckets),
    touched: new Int32Array(buckets),
    size: 0,
    count(tokens) {
      let previous = 0
      for (const token of tokens) {
        add(token & mask)
        if (previous !== 0) add(finalize(Math.imul(previous, 31) + token) & mask)
        previous = token
      }
    },
    reset() {
      for (let index = 0; index < counter.size; index++) counter.counts[counter.touched[index]!] = 0
      counter.size = 0
    },
  }
  const add = (bucket: number) => {
    if (counter.counts[bucket]!++ === 0) counter.touched[counter.size++] = bucket
  }
  return counter
}
