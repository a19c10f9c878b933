import { LRUCache } from 'lru-cache'
import { noEffect, type TextEffect } from '../success.ts'
import { likenessTo, type Form } from './form.ts'
import { unpackLandmarks, type PackedLandmarks } from './landmarks.ts'
import { excerptOf, readText, type Reading } from './reading.ts'
import { plainScore, unpackScores, type PackedScores, type PlainScore } from './scores.ts'
import { completeVectorizer, createVectorMaker, type VectorShape } from './vector.ts'

export interface PackedText {
  shape: VectorShape
  center: number[]
  scale: number[]
  landmarks: PackedLandmarks
  /** Kinds of tasks that texts are sorted into. */
  categories: string[]
  /** Number of skills. */
  skills: number
  /** For each kind, in the order of `categories`: how much a text is of it, its slope, its level; then each skill. */
  scores: PackedScores
  /** The slope of texts that resemble no kind. */
  plainSlope: PlainScore
  /** In the order of `categories`. */
  forms: Form[]
}

/** What a text says: which kinds of task it is, and how it differs from what is usual for them. */
export interface TextJudgement {
  /** Probabilities of kinds of tasks; they sum to 1. Kinds below 2 % are left out. */
  categories: Readonly<Record<string, number>>
  effect: TextEffect
}

/** The kind of short texts that resemble nothing learned: small talk, mostly. */
export const smallTalk = 'chat'
/** The kind of longer ones: nothing is known about them, not even that they are easy. */
export const unknownCategory = 'other'

/** The judgement of what is no text. */
export const unjudged: TextJudgement = { categories: { [unknownCategory]: 1 }, effect: noEffect }

/** The judgement where there are no weights: all that a text shows is whether it is long. */
export function judgeByLength(text: string): TextJudgement {
  return { categories: { [strangeKind(readText(text))]: 1 }, effect: noEffect }
}

/** A best score of the first says that the text resembles nothing learned, of the second that it is one of a kind. */
const strangeScore = 0.25
const familiarScore = 0.5
/** From this share of letters outside ASCII on, a text is in a language that nothing was learned about. */
const foreignAt = 0.3
/** Sharpens the shares of kinds, which a ridge makes too alike; 3 to 4 predicts the kinds of unseen prompts best. */
const sharpness = 3
const minShare = 0.02
/** What the slope of an unfamiliar text tends to, at most: the further from what was learned, the less is known of it. */
const maxPlainSlope = 0.1
/** Words and marks from which a text can resemble anything. */
const minTokens = 4
/** Words and marks up to which an unfamiliar text is taken for small talk. */
const maxSmallTalk = 12

/** Judgements cached: in a loop of tool calls the user's last message is the same in every request. */
const maxCached = 256

/** Judges texts by packed weights; about 0.1 ms for a long one it has not judged lately. Makes one judgement at a time. */
export function createTextJudge(packed: PackedText): (text: string) => TextJudgement {
  const judge = createJudge(packed)
  const cached = new LRUCache<string, TextJudgement>({ max: maxCached })
  return text => {
    const key = `${text.length} ${excerptOf(text)}`
    let judgement = cached.get(key)
    if (judgement === undefined) cached.set(key, (judgement = judge(readText(text))))
    return judgement
  }
}

function createJudge(packed: PackedText): (reading: Reading) => TextJudgement {
  const { shape, center, scale, categories, skills, forms, plainSlope } = packed
  const count = categories.length
  const { features, rarity, score } = unpackScores(packed.scores, shape)
  const vectorOf = createVectorMaker(
    completeVectorizer({
      shape,
      features,
      rarity,
      center: Float64Array.from(center),
      scale: Float64Array.from(scale),
      landmarks: unpackLandmarks(packed.landmarks),
    }),
  )
  const scores = new Float64Array(3 * count + skills)
  const kindPlaces = categories.map((_, kind) => kind)
  const skillPlaces = Array.from({ length: skills }, (_, skill) => 3 * count + skill)
  return reading => {
    const vector = vectorOf(reading)
    score(vector, kindPlaces, scores)
    const shares = sharesOf(scores.subarray(0, count), forms, reading)
    const known = shares.reduce((sum, share) => sum + share, 0)
    // Half of the time of a judgement would go into kinds that the text is not of.
    const likely = kindPlaces.filter(kind => shares[kind]! >= minShare)
    score(vector, [...likely.flatMap(kind => [count + kind, 2 * count + kind]), ...skillPlaces], scores)
    // Small talk asks for no ability beyond the usual.
    const strange = strangeKind(reading)
    let slope = strange === smallTalk ? 0 : (1 - known) * bounded(plainScore(plainSlope, vector))
    let level = 0
    for (const kind of likely) {
      slope += shares[kind]! * scores[count + kind]!
      level += shares[kind]! * scores[2 * count + kind]!
    }
    return {
      categories: named([...categories, strange], shares),
      effect: { level, slope, skills: Array.from(scores.subarray(3 * count), skill => known * skill) },
    }
  }
}

/** The probability of each kind; what they lack to 1 is the probability that the text is of none. */
function sharesOf(
  scores: Float64Array,
  forms: readonly Form[],
  { tokens, figures, foreignShare }: Reading,
): Float64Array {
  const shares = new Float64Array(scores.length)
  if (tokens.length < minTokens) return shares
  let best = 0
  let total = 0
  let likeness = 0
  for (const [kind, score] of scores.entries()) {
    if (score <= 0) continue
    const like = likenessTo(forms[kind]!, figures)
    if (like === 0) continue
    if (score > best) best = score
    shares[kind] = score ** sharpness
    total += shares[kind]
    likeness += shares[kind] * like
  }
  if (total === 0) return shares
  const resembling = within01((best - strangeScore) / (familiarScore - strangeScore))
  const readable = within01(1 - foreignShare / foreignAt)
  const familiar = resembling * readable * (likeness / total)
  return shares.map(share => (share * familiar) / total)
}

/** The likely kinds; `names` ends with the kind of a text that is none of the others. */
function named(names: readonly string[], shares: Float64Array): Record<string, number> {
  const known = shares.reduce((sum, share) => sum + share, 0)
  const likely = names
    .map((name, index): [string, number] => [name, shares[index] ?? 1 - known])
    .filter(([, share]) => share >= minShare)
  const sum = likely.reduce((total, [, share]) => total + share, 0)
  return Object.fromEntries(likely.map(([name, share]) => [name, share / sum]))
}

/** The kind of a text that resembles nothing learned. */
function strangeKind({ tokens }: Reading): string {
  return tokens.length <= maxSmallTalk ? smallTalk : unknownCategory
}

function within01(value: number): number {
  return Math.max(0, Math.min(1, value))
}

/** Keeps the order of slopes. */
function bounded(slope: number): number {
  return maxPlainSlope * Math.tanh(slope / maxPlainSlope)
}
