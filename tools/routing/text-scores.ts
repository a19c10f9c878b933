import { readText, type Reading } from '../../src/router/text/reading.ts'
import {
  createVectorMaker,
  fitVectorizer,
  smoothSize,
  type Vector,
  type Vectorizer,
  type VectorShape,
} from '../../src/router/text/vector.ts'
import { fitRidge, score, type Linear } from './ridge.ts'

/** Frozen: chosen once by cross-validation on public tables, the same for every table and for what ships. */
const vectorShape: VectorShape = {
  buckets: 131_072,
  waves: 512,
  sharpness: 1,
  smoothWeight: 0.25,
  linearWeight: 0,
}
/** Half the buckets, so that the shipped file stays small; costs about 0.002 APGR. */
export const shippedShape: VectorShape = { ...vectorShape, buckets: 65_536 }
const wordPenalty = 6
const smoothPenalty = 2.5
const jointPenalty = 10
const groupPenalty = 3
/** Rows that a group's mean borrows from the mean of all. */
const groupShrinkage = 10

const silent = new Float32Array(0)
const nowhere = new Int32Array(0)

/** Texts made ready for learning several targets. */
export interface TextBasis {
  vectorizer: Vectorizer
  vectors: readonly Vector[]
}

export function textBasis(readings: readonly Reading[], shape = vectorShape): TextBasis {
  const vectorizer = fitVectorizer(readings, shape)
  return { vectorizer, vectors: readings.map(createVectorMaker(vectorizer)) }
}

/**
 * Three ridges in one linear score, averaged: one on the words, one on the form (the smooth part), and one on both whose
 * targets are the means of the row's group, which carry less noise than single answers. They err in different places.
 * Without groups the third learns from the targets themselves.
 */
export function fitScores(
  { vectorizer, vectors }: TextBasis,
  targets: Float64Array,
  groups?: readonly string[],
): Linear {
  const smooth = smoothSize(vectorizer.shape)
  const { buckets } = vectorizer.shape
  const words = fitWords(vectors, targets, buckets)
  const form = fitRidge(
    vectors.map(vector => ({ ...vector, buckets: nowhere, values: silent })),
    targets,
    { buckets: 0, smooth },
    smoothPenalty,
  )
  const third =
    groups === undefined
      ? fitRidge(vectors, targets, { buckets, smooth }, jointPenalty)
      : fitRidge(vectors, groupMeans(targets, groups), { buckets, smooth }, groupPenalty)
  return {
    intercept: third.intercept,
    words: third.words.map((weight, at) => (weight + words.words[at]!) / 3),
    smooth: third.smooth.map((weight, at) => (weight + form.smooth[at]!) / 3),
  }
}

/** Words alone: for a few hundred labels of one kind of prompt, whose form hardly varies. */
export function fitWordScores({ vectorizer, vectors }: TextBasis, targets: Float64Array): Linear {
  return fitWords(vectors, targets, vectorizer.shape.buckets)
}

/** A score of texts that only leans on plain figures of form, so that it extrapolates to kinds of prompts never seen. */
export function fitPlainScores(readings: readonly Reading[], targets: Float64Array): (reading: Reading) => number {
  const shape: VectorShape = { buckets: 1, waves: 0, sharpness: 1, smoothWeight: 0, linearWeight: 1 }
  const makeVector = createVectorMaker(fitVectorizer(readings, shape))
  const vectors = readings.map(reading => makeVector(reading))
  const linear = fitRidge(vectors, targets, { buckets: 1, smooth: smoothSize(shape) }, 10)
  return reading => score(linear, makeVector(reading))
}

export function readAll(prompts: readonly string[]): Reading[] {
  return prompts.map(prompt => readText(prompt))
}

function fitWords(vectors: readonly Vector[], targets: Float64Array, buckets: number): Linear {
  const wordsOnly = vectors.map(vector => ({ ...vector, smooth: silent }))
  return fitRidge(wordsOnly, targets, { buckets, smooth: 0 }, wordPenalty)
}

function groupMeans(targets: Float64Array, groups: readonly string[]): Float64Array {
  const sums = new Map<string, { sum: number; count: number }>()
  let total = 0
  for (const [row, group] of groups.entries()) {
    const entry = sums.get(group) ?? { sum: 0, count: 0 }
    sums.set(group, { sum: entry.sum + targets[row]!, count: entry.count + 1 })
    total += targets[row]!
  }
  const mean = total / targets.length
  return Float64Array.from(groups, group => {
    const { sum, count } = sums.get(group)!
    return (sum + groupShrinkage * mean) / (count + groupShrinkage)
  })
}
