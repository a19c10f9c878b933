import { optionsFigure, type Reading } from '../../src/router/text/reading.ts'
import { createVectorMaker } from '../../src/router/text/vector.ts'
import { score } from './ridge.ts'
import { fitPlainScores, fitScores, fitWordScores, textBasis } from './text-scores.ts'

/** How much better the strong model is expected to do than the weak one, on the scale of scores. */
export type GapModel = (reading: Reading) => number

/** Below this share of the training prompts, a kind of prompt counts as never seen. */
const knownShare = 0.02

/**
 * Learns the gap P(strong right) - P(weak right) itself: hard prompts that both fail are no reason to pay. A prompt of a
 * kind never seen (multiple choice or not) is judged by plain form alone, for words learned elsewhere mislead.
 */
export function fitGap(readings: readonly Reading[], gaps: Float64Array, groups?: readonly string[]): GapModel {
  const basis = textBasis(readings)
  const linear = fitScores(basis, gaps, groups)
  const makeVector = createVectorMaker(basis.vectorizer)
  const plain = fitPlainScores(readings, gaps)
  const choices = readings.filter(isChoice).length / readings.length
  return reading => {
    const known = isChoice(reading) ? choices : 1 - choices
    return known < knownShare ? plain(reading) : score(linear, makeVector(reading))
  }
}

/** Adds what the words of a few labels of a new kind say to a gap learned on another kind. */
export function adaptGap(prior: GapModel, readings: readonly Reading[], gaps: Float64Array): GapModel {
  const basis = textBasis(readings)
  const words = fitWordScores(basis, gaps)
  const makeVector = createVectorMaker(basis.vectorizer)
  return reading => prior(reading) + score(words, makeVector(reading))
}

function isChoice(reading: Reading): boolean {
  return reading.figures[optionsFigure]! > 0
}
