import { finalize, gaussian, seededRandom } from '../chance.ts'
import { figureCount, type Reading } from './reading.ts'
import { createLikeness, type Landmarks } from './landmarks.ts'

/** How readings become vectors: a sparse part of words and word pairs, and a smooth part made from the figures. */
export interface VectorShape {
  /** Words and pairs are hashed into this many buckets, a power of two; only those that enough texts have become features. */
  buckets: number
  /** Size of the smooth part; a multiple of 4. */
  waves: number
  /** Width of the smooth part's kernel: larger forgets faster. */
  sharpness: number
  /** What the smooth part weighs against the words. */
  smoothWeight: number
  /** Ways of writing that others are compared with; a multiple of 4. */
  landmarks: number
}

/** What must be learned from texts (not from labels) before anything can become a vector. */
export interface Vectorizer {
  shape: VectorShape
  /** The buckets that became features, in ascending order. */
  features: Int32Array
  /** Inverse document frequency by feature. */
  rarity: Float32Array
  center: Float64Array
  scale: Float64Array
  /** waves × figureCount directions, then phases; made from a seed, so that only the seed is stored. */
  directions: Float64Array
  phases: Float64Array
  landmarks: Landmarks
}

export interface Vector {
  /** Places in the vectorizer's features. */
  features: Int32Array
  values: Float32Array
  /** `waves` cosines of the figures. */
  waves: Float32Array
  /** Likeness to each landmark in how the text is written. */
  style: Float32Array
  /** The figures themselves, in deviations: they extrapolate where the waves fall silent. */
  plain: Float32Array
}

/** Makes the squared length of the plain figures about 1. */
const plainWeight = 1 / Math.sqrt(figureCount)

/** Adds the random directions, which are the same for the same shape. */
export function completeVectorizer(learned: Omit<Vectorizer, 'directions' | 'phases'>): Vectorizer {
  const { shape } = learned
  const random = seededRandom(20_240_611)
  const spread = Math.sqrt((2 * shape.sharpness) / figureCount)
  const directions = Float64Array.from({ length: shape.waves * figureCount }, () => spread * gaussian(random))
  const phases = Float64Array.from({ length: shape.waves }, () => 2 * Math.PI * random())
  return { ...learned, directions, phases }
}

/**
 * Turns readings into vectors; reuses its own scratch space, so one vectorizer makes one vector at a time.
 * The smooth part is random Fourier features of a Gaussian kernel (Rahimi and Recht 2007); words are sublinear tf-idf; style is
 * the kernel itself, of a few typical texts.
 */
export function createVectorMaker(vectorizer: Vectorizer): (reading: Reading) => Vector {
  const { shape, features, rarity, center, scale, directions, phases } = vectorizer
  const featureOf = new Int32Array(shape.buckets).fill(-1)
  for (const [feature, bucket] of features.entries()) featureOf[bucket] = feature
  const counter = createCounter(featureOf)
  const figures = new Float64Array(figureCount)
  const likeness = createLikeness(vectorizer.landmarks)
  return reading => {
    counter.count(reading.tokens)
    let squares = 0
    const found = counter.touched.slice(0, counter.size)
    const values = new Float32Array(found.length)
    for (let index = 0; index < found.length; index++) {
      const feature = found[index]!
      const count = counter.counts[feature]!
      const weight = rarity[feature]! * (count === 1 ? 1 : 1 + Math.log(count))
      values[index] = weight
      squares += weight * weight
    }
    counter.reset()
    const norm = squares === 0 ? 0 : 1 / Math.sqrt(squares)
    for (let index = 0; index < found.length; index++) values[index]! *= norm
    for (let index = 0; index < figureCount; index++) {
      const spread = scale[index]!
      // A figure that never varied says nothing; beyond four deviations it only says "far away".
      figures[index] =
        spread < 1e-9 ? 0 : Math.max(-4, Math.min(4, (reading.figures[index]! - center[index]!) / spread))
    }
    const waves = new Float32Array(shape.waves)
    const height = Math.sqrt((2 * shape.smoothWeight) / Math.max(1, shape.waves))
    // Four at a time, so that no sum waits for another.
    for (let wave = 0; wave < shape.waves; wave += 4) {
      let a = phases[wave]!
      let b = phases[wave + 1]!
      let c = phases[wave + 2]!
      let d = phases[wave + 3]!
      const from = wave * figureCount
      for (let index = 0; index < figureCount; index++) {
        const figure = figures[index]!
        const place = from + index
        a += directions[place]! * figure
        b += directions[place + figureCount]! * figure
        c += directions[place + 2 * figureCount]! * figure
        d += directions[place + 3 * figureCount]! * figure
      }
      waves[wave] = height * Math.cos(a)
      waves[wave + 1] = height * Math.cos(b)
      waves[wave + 2] = height * Math.cos(c)
      waves[wave + 3] = height * Math.cos(d)
    }
    const plain = Float32Array.from(figures, figure => figure * plainWeight)
    return { features: found, values, waves, style: likeness(reading.style), plain }
  }
}

interface Counter {
  counts: Uint16Array
  touched: Int32Array
  size: number
  count(tokens: Int32Array): void
  reset(): void
}

/** Counts features by `featureOf` the bucket of a word or pair; -1 is none. */
export function createCounter(featureOf: Int32Array): Counter {
  const mask = featureOf.length - 1
  const counter: Counter = {
    counts: new Uint16Array(featureOf.length),
    touched: new Int32Array(featureOf.length),
    size: 0,
    count(tokens) {
      let previous = 0
      for (const token of tokens) {
        add(featureOf[token & mask]!)
        if (previous !== 0) add(featureOf[finalize(Math.imul(previous, 31) + token) & mask]!)
        previous = token
      }
    },
    reset() {
      for (let index = 0; index < counter.size; index++) counter.counts[counter.touched[index]!] = 0
      counter.size = 0
    },
  }
  const add = (feature: number) => {
    if (feature >= 0 && counter.counts[feature]!++ === 0) counter.touched[counter.size++] = feature
  }
  return counter
}
