import { inflateRawSync } from 'node:zlib'
import { figureCount } from './reading.ts'
import type { Vector, VectorShape } from './vector.ts'

/** Linear scores of a vector as they are stored: eight bits a weight, each score with its own steps. */
export interface PackedScores {
  intercepts: number[]
  wordSteps: number[]
  waveSteps: number[]
  /**
   * base64 of deflated bytes: for each bucket its rarity (unsigned, times `rarityStep`) and the weight of each score (signed,
   * times its `wordSteps`); then for each wave the weight of each score (signed, times its `waveSteps`).
   */
  weights: string
  rarityStep: number
}

/** A linear score of the plain figures. */
export interface PlainScore {
  intercept: number
  weights: number[]
}

export interface Scores {
  /** Inverse document frequency by bucket. */
  rarity: Float32Array
  /** Writes the scores of a vector at these places, in the order they were packed, into the same places of `into`. */
  score: (vector: Vector, places: readonly number[], into: Float64Array) => void
}

/**
 * Scores made ready for use. The weights of one bucket lie side by side, so that each word of a prompt costs one visit to memory
 * instead of one for each score. Makes one vector's scores at a time.
 */
export function unpackScores(packed: PackedScores, shape: VectorShape): Scores {
  const { intercepts, wordSteps, waveSteps } = packed
  const count = intercepts.length
  const stride = count + 1
  const bytes = inflateRawSync(Buffer.from(packed.weights, 'base64'))
  const weights = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const waveStart = shape.buckets * stride
  const rarity = new Float32Array(shape.buckets)
  for (let bucket = 0; bucket < shape.buckets; bucket++) rarity[bucket] = bytes[bucket * stride]! * packed.rarityStep
  const ofWords = new Float64Array(count)
  const ofWaves = new Float64Array(count)
  const columns = new Int32Array(count)
  return {
    rarity,
    score({ buckets, values, waves }, places, into) {
      const size = places.length
      columns.set(places)
      ofWords.fill(0)
      ofWaves.fill(0)
      for (let index = 0; index < buckets.length; index++) {
        const from = buckets[index]! * stride + 1
        const value = values[index]!
        for (let each = 0; each < size; each++) ofWords[each]! += weights[from + columns[each]!]! * value
      }
      for (let wave = 0; wave < waves.length; wave++) {
        const from = waveStart + wave * count
        const value = waves[wave]!
        for (let each = 0; each < size; each++) ofWaves[each]! += weights[from + columns[each]!]! * value
      }
      for (const [each, place] of places.entries()) {
        into[place] = intercepts[place]! + wordSteps[place]! * ofWords[each]! + waveSteps[place]! * ofWaves[each]!
      }
    },
  }
}

/** What a plain score says of a vector. */
export function plainScore({ intercept, weights }: PlainScore, { plain }: Vector): number {
  let sum = intercept
  for (let index = 0; index < figureCount; index++) sum += weights[index]! * plain[index]!
  return sum
}
