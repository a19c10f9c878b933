import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { excerptOf, readText, type Reading } from './reading.ts'
import { completeVectorizer, createVectorMaker, type Vector, type VectorShape } from './vector.ts'

/** A linear score as it is stored: eight bits a weight. */
export interface PackedLinear {
  intercept: number
  wordStep: number
  /** base64 of signed bytes, one per bucket; times `wordStep`. */
  words: string
  smoothStep: number
  smooth: string
}

export interface PackedText {
  shape: VectorShape
  rarityStep: number
  /** base64 of unsigned bytes, one per bucket; times `rarityStep`. */
  rarity: string
  centre: number[]
  scale: number[]
  /** One score for each kind of task, in the order of `categories`. */
  categories: string[]
  categoryScores: PackedLinear[]
  /** How much better than usual for its kind a prompt is answered; negative for hard ones. */
  ease: PackedLinear
}

export interface TextJudgement {
  /** Probabilities of kinds of tasks; they sum to 1. Kinds below 2 % are left out. */
  categories: Readonly<Record<string, number>>
  /** Log odds by which this prompt is easier (positive) or harder than usual for its kind. */
  ease: number
}

/** The kind of what resembles nothing that was learned: small talk, mostly. */
export const unknownCategory = 'chat'

/** A best score of the first says that the text resembles nothing learned, of the second that it is one of a kind. */
const strangeScore = 0.2
const familiarScore = 0.8
const minShare = 0.02
/** Log odds per unit of score at a rate of one half. */
const oddsPerScore = 4
const maxEase = 1

/** Judgements kept: in a loop of tool calls the user's newest words are the same in every request. */
const maxCached = 256

/** Judges texts by packed weights; about 0.1 ms for a long one it has not judged lately. Makes one judgement at a time. */
export function createTextJudge(packed: PackedText): (text: string) => TextJudgement {
  const { shape, centre, scale } = packed
  const rarity = new Float32Array(unsigned(packed.rarity))
  for (let bucket = 0; bucket < rarity.length; bucket++) rarity[bucket]! *= packed.rarityStep
  const makeVector = createVectorMaker(
    completeVectorizer(shape, rarity, Float64Array.from(centre), Float64Array.from(scale)),
  )
  const scoreAll = unpack([...packed.categoryScores, packed.ease], shape.buckets)
  const judge = (text: string): TextJudgement => {
    const reading = readText(text)
    const scores = scoreAll(makeVector(reading))
    const ease = scores.pop()!
    return {
      categories: shares(packed.categories, scores, reading),
      ease: Math.max(-maxEase, Math.min(maxEase, oddsPerScore * ease)),
    }
  }
  const kept = new LRUCache<string, TextJudgement>({ max: maxCached })
  return text => {
    const key = `${text.length} ${hash('sha1', excerptOf(text), 'base64')}`
    let judgement = kept.get(key)
    if (judgement === undefined) kept.set(key, (judgement = judge(text)))
    return judgement
  }
}

function shares(names: readonly string[], scores: readonly number[], { tokens }: Reading): Record<string, number> {
  const familiar =
    tokens.length === 0
      ? 0
      : Math.max(0, Math.min(1, (Math.max(...scores) - strangeScore) / (familiarScore - strangeScore)))
  const positive = scores.map(score => Math.max(0, score))
  const total = positive.reduce((sum, score) => sum + score, 0)
  const found: [string, number][] = names.map((name, at) => [
    name,
    total === 0 ? 0 : (familiar * positive[at]!) / total,
  ])
  const kept: [string, number][] = [
    ...found,
    [unknownCategory, total === 0 ? 1 : 1 - familiar] satisfies [string, number],
  ]
  const likely = kept.filter(([, share]) => share >= minShare)
  const sum = likely.reduce((all, [, share]) => all + share, 0)
  return Object.fromEntries(likely.map(([name, share]) => [name, share / sum]))
}

/**
 * All scores of a vector at once. The weights of one bucket lie side by side, so that each word of a prompt costs one visit to
 * memory instead of one for each score.
 */
function unpack(packed: readonly PackedLinear[], buckets: number): (vector: Vector) => number[] {
  const count = packed.length
  const words = new Int8Array(buckets * count)
  for (const [at, linear] of packed.entries()) {
    const weights = signed(linear.words)
    for (let bucket = 0; bucket < buckets; bucket++) words[bucket * count + at] = weights[bucket]!
  }
  const smooth = packed.map(linear => signed(linear.smooth))
  return vector => {
    const sums = new Float64Array(count)
    for (let at = 0; at < vector.buckets.length; at++) {
      const from = vector.buckets[at]! * count
      const value = vector.values[at]!
      for (let each = 0; each < count; each++) sums[each]! += words[from + each]! * value
    }
    return packed.map((linear, each) => {
      const weights = smooth[each]!
      let waves = 0
      for (let at = 0; at < weights.length; at++) waves += weights[at]! * vector.smooth[at]!
      return linear.intercept + linear.wordStep * sums[each]! + linear.smoothStep * waves
    })
  }
}

function signed(base64: string): Int8Array {
  const bytes = Buffer.from(base64, 'base64')
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function unsigned(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64')
}
