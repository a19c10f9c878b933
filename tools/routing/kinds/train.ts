import { cueNames, type Cue } from '../../../src/router/kinds/cues.ts'
import { featureNames, featuresOf } from '../../../src/router/kinds/features.ts'
import {
  difficulties,
  everydayKinds,
  softmax,
  type EverydayKind,
  type KindWeights,
  type LinearModel,
} from '../../../src/router/kinds/model.ts'
import { shapeOf } from '../../../src/router/kinds/shape.ts'
import { requestOf } from './clients.ts'
import type { LabelledRequest } from './labelled.ts'

/** What a cue speaks for before any example was seen. */
const cueOf: Partial<Record<Cue, EverydayKind>> = {
  greeting: 'chat',
  thanks: 'chat',
  company: 'chat',
  lookup: 'facts',
  expertise: 'knowledge',
  mathematics: 'math',
  calculate: 'math',
  logic: 'logic',
  prose: 'writing',
  compose: 'writing',
  translate: 'translation',
  summarize: 'summary',
  title: 'title',
  extract: 'extraction',
  code: 'code_generation',
  language: 'code_generation',
  bug: 'bug_fixing',
  refactor: 'code_refactoring',
  review: 'code_understanding',
  tests: 'test_generation',
  data: 'data_science',
  algorithm: 'algorithm',
}
/** The same for the instructions of a client's small job. */
const jobOf: Partial<Record<Cue, EverydayKind>> = {
  summarize: 'summary',
  versions: 'summary',
  title: 'title',
  translate: 'translation',
}
const shapeKinds: readonly (readonly [feature: string, kind: EverydayKind])[] = [
  ['afterResult', 'agent_tool_result'],
  ['planMode', 'agent_plan'],
  ['editBlocks', 'agent_edit'],
  ['arithmetic', 'math'],
  ['wordProblem', 'math'],
]
const priorWeight = 2
const resultWeight = 4
/** How strongly weights are held to the prior; chosen by five folds of the development half. */
const kindRidge = 0.003
const difficultyRidge = 0.02
/** Held to a prior, the weights leave the kinds too alike; stretched so, they predict best in five folds of the same half. */
const kindStretch = 1.4
const steps = 500
const rate = 1.2

/** Fits both scores by multinomial logistic regression with a Gaussian prior around what the cues are for. Deterministic. */
export function trainKinds(requests: readonly LabelledRequest[]): KindWeights {
  const rows = requests.map(request => featuresOf(shapeOf(requestOf(request))))
  const kinds = requests.map(({ kind }) => everydayKinds.indexOf(kind))
  const levels = requests.map(({ difficulty }) => difficulties.indexOf(difficulty))
  return {
    features: featureNames,
    kinds: stretched(fit(rows, kinds, kindPrior(), kindRidge), kindStretch),
    difficulty: fit(rows, levels, difficultyPrior(), difficultyRidge),
  }
}

function kindPrior(): number[][] {
  const prior = everydayKinds.map(() => featureNames.map(() => 0))
  const set = (feature: string, kind: EverydayKind, weight: number) => {
    prior[everydayKinds.indexOf(kind)]![featureNames.indexOf(feature)] = weight
  }
  for (const cue of cueNames) {
    const kind = cueOf[cue]
    if (kind !== undefined) set(cue, kind, priorWeight)
    const job = jobOf[cue]
    if (job !== undefined) set(`system ${cue}`, job, priorWeight)
  }
  for (const [feature, kind] of shapeKinds) set(feature, kind, resultWeight)
  for (const kind of ['agent_plan', 'agent_edit'] as const) set('manyTools', kind, priorWeight)
  set('plan', 'agent_plan', priorWeight / 2)
  set('change', 'agent_edit', priorWeight / 2)
  return prior
}

function difficultyPrior(): number[][] {
  const prior = difficulties.map(() => featureNames.map(() => 0))
  prior[2]![featureNames.indexOf('hard')] = priorWeight
  prior[2]![featureNames.indexOf('failedResult')] = 2 * priorWeight
  prior[0]![featureNames.indexOf('afterResult')] = priorWeight
  prior[0]![featureNames.indexOf('simple')] = priorWeight / 2
  prior[0]![featureNames.indexOf('greeting')] = priorWeight
  prior[0]![featureNames.indexOf('veryShort')] = priorWeight / 2
  return prior
}

/** Gradient descent on the mean log loss, pulled towards `prior`; weights are rounded to what is stored. */
function fit(
  rows: readonly Float64Array[],
  labels: readonly number[],
  prior: readonly (readonly number[])[],
  ridge: number,
): LinearModel {
  const weights = prior.map(row => Float64Array.from(row))
  // Of some hundred features a request has about twenty.
  const present = rows.map(features => [...features.keys()].filter(at => features[at] !== 0))
  for (let step = 0; step < steps; step++) {
    const gradient = weights.map((row, kind) => row.map((weight, at) => ridge * (weight - prior[kind]![at]!)))
    for (const [place, features] of rows.entries()) {
      const at = present[place]!
      const scores = weights.map(row => at.reduce((sum, feature) => sum + row[feature]! * features[feature]!, 0))
      for (const [kind, share] of softmax(scores).entries()) {
        const miss = (share - (labels[place] === kind ? 1 : 0)) / rows.length
        for (const feature of at) gradient[kind]![feature]! += miss * features[feature]!
      }
    }
    for (const [kind, row] of weights.entries()) {
      for (let at = 0; at < row.length; at++) row[at]! -= rate * gradient[kind]![at]!
    }
  }
  return rounded(weights)
}

function stretched({ weights }: LinearModel, by: number): LinearModel {
  return rounded(weights.map(row => row.map(weight => weight * by)))
}

function rounded(weights: readonly Iterable<number>[]): LinearModel {
  return { weights: weights.map(row => Array.from(row, weight => Math.round(weight * 1000) / 1000)) }
}
