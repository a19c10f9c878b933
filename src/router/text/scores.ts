import { inflateRawSync } from 'node:zlib'
import { figureCount } from './reading.ts'
import type { Vector, VectorShape } from './vector.ts'

/** Linear scores of a vector as they are stored: eight bits a weight, each score with its own steps. */
export interface PackedScores {
  intercepts: number[]
  wordSteps: number[]
  waveSteps: number[]
  /** base64 of deflated bytes: the distance of each feature's bucket from the one before, seven bits a byte, lowest first. */
  features: string
  /**
   * base64 of deflated bytes: for each feature its rarity (unsigned, times `rarityStep`) and the weight of each score (signed,
   * times its `wordSteps`); then for each wave the weight of each score (signed, times its `waveSteps`).
   */
  weights: string
  /** base64 of 32-bit numbers, lowest byte first: for each score the weight of each landmark. They nearly cancel out. */
  style: string
  rarityStep: number
}

/** A linear score of the plain figures. */
export interface PlainScore {
  intercept: number
  weights: number[]
}

export interface Scores {
  /** The buckets that are features. */
  features: Int32Array
  /** Inverse document frequency by feature. */
  rarity: Float32Array
  /** Writes the scores of a vector at these places, in the order they were packed, into the same places of `into`. */
  score: (vector: Vector, places: readonly number[], into: Float64Array) => void
}

/**
 * Scores made ready for use. The weights of one feature lie side by side, so that each word of a prompt costs one visit to memory
 * instead of one for each score. Makes one vector's scores at a time.
 */
export function unpackScores(packed: PackedScores, shape: VectorShape): Scores {
  const { intercepts, wordSteps, waveSteps } = packed
  const count = intercepts.length
  const stride = count + 1
  const bytes = inflateRawSync(Buffer.from(packed.weights, 'base64'))
  const weights = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const features = unpackFeatures(packed.features)
  const waveStart = features.length * stride
  const rarity = new Float32Array(features.length)
  const ofStyle = unpackFloats(packed.style)
  const waveRows = Int32Array.from({ length: shape.waves }, (_, wave) => waveStart + wave * count)
  for (let index = 0; index < rarity.length; index++) rarity[index] = bytes[index * stride]! * packed.rarityStep
  const ofWords = new Float64Array(count)
  const ofWaves = new Float64Array(count)
  let rows = new Int32Array(0)
  return {
    features,
    rarity,
    score({ features: found, values, waves, style }, places, into) {
      if (rows.length < found.length) rows = new Int32Array(2 * found.length)
      for (let index = 0; index < found.length; index++) rows[index] = found[index]! * stride + 1
      addUp({ weights, rows, values }, places, ofWords)
      addUp({ weights, rows: waveRows, values: waves }, places, ofWaves)
      for (const place of places) {
        let sum = intercepts[place]! + wordSteps[place]! * ofWords[place]! + waveSteps[place]! * ofWaves[place]!
        const from = place * shape.landmarks
        for (let landmark = 0; landmark < shape.landmarks; landmark++) {
          sum += ofStyle[from + landmark]! * style[landmark]!
        }
        into[place] = sum
      }
    },
  }
}

/** What is added up: `values`, each with the weights that begin at its row; there may be more rows than values. */
interface WeightedValues {
  weights: Int8Array
  rows: Int32Array
  values: Float32Array
}

/**
 * `sums[place] = Σ weights[rows[index] + place] × values[index]`, for each of `places`. Four at a time, so that their sums stay in
 * registers and do not wait for each other: twice as fast as one after the other.
 */
function addUp({ weights, rows, values }: WeightedValues, places: readonly number[], sums: Float64Array): void {
  const count = values.length
  const last = places.length - 1
  for (let each = 0; each <= last; each += 4) {
    const [a, b, c, d] = [
      places[each]!,
      places[Math.min(each + 1, last)]!,
      places[Math.min(each + 2, last)]!,
      places[Math.min(each + 3, last)]!,
    ]
    let ofA = 0
    let ofB = 0
    let ofC = 0
    let ofD = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index]!
      const value = values[index]!
      ofA += weights[row + a]! * value
      ofB += weights[row + b]! * value
      ofC += weights[row + c]! * value
      ofD += weights[row + d]! * value
    }
    sums[a] = ofA
    sums[b] = ofB
    sums[c] = ofC
    sums[d] = ofD
  }
}

function unpackFloats(packed: string): Float32Array {
  const bytes = Buffer.from(packed, 'base64')
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index))
}

function unpackFeatures(packed: string): Int32Array {
  const features: number[] = []
  let bucket = 0
  let step = 0
  let shift = 0
  for (const byte of inflateRawSync(Buffer.from(packed, 'base64'))) {
    step += (byte & 0x7f) << shift
    shift += 7
    if (byte >= 0x80) continue
    bucket += step
    features.push(bucket)
    step = 0
    shift = 0
  }
  return Int32Array.from(features)
}

/** What a plain score says of a vector. */
export function plainScore({ intercept, weights }: PlainScore, { plain }: Vector): number {
  let sum = intercept
  for (let index = 0; index < figureCount; index++) sum += weights[index]! * plain[index]!
  return sum
}
