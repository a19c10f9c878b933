import { readEveryday } from '../../../src/router/kinds.ts'
import { difficulties, everydayKinds, type EverydayKind } from '../../../src/router/kinds/model.ts'
import { shapeOf } from '../../../src/router/kinds/shape.ts'
import { requestOf } from './clients.ts'
import type { LabelledRequest } from './labelled.ts'

/** How well requests are sorted. */
export interface KindScores {
  count: number
  accuracy: number
  /** Mean F1 of the kinds that occur. */
  macroF1: number
  difficultyAccuracy: number
  /** How often a request of the first kind was taken for the second. */
  confusion: readonly { kind: EverydayKind; takenFor: EverydayKind; count: number }[]
}

/** What the router as shipped takes each request for, against its label. */
export function evaluateKinds(requests: readonly LabelledRequest[]): KindScores {
  const counts = new Map<EverydayKind, Map<EverydayKind, number>>()
  let right = 0
  let rightDifficulty = 0
  for (const request of requests) {
    const reading = readEveryday(shapeOf(requestOf(request)))
    const taken = largest(everydayKinds, reading.kinds)
    if (taken === request.kind) right++
    if (largest(difficulties, reading.difficulty) === request.difficulty) rightDifficulty++
    const row = counts.get(request.kind) ?? new Map<EverydayKind, number>()
    counts.set(request.kind, row.set(taken, (row.get(taken) ?? 0) + 1))
  }
  const count = (kind: EverydayKind, takenFor: EverydayKind) => counts.get(kind)?.get(takenFor) ?? 0
  const scores = [...counts.keys()].map(kind => {
    const both = count(kind, kind)
    const labelled = everydayKinds.reduce((sum, other) => sum + count(kind, other), 0)
    const taken = everydayKinds.reduce((sum, other) => sum + count(other, kind), 0)
    return (2 * both) / (labelled + taken)
  })
  return {
    count: requests.length,
    accuracy: right / requests.length,
    macroF1: scores.reduce((sum, score) => sum + score, 0) / scores.length,
    difficultyAccuracy: rightDifficulty / requests.length,
    confusion: [...counts].flatMap(([kind, row]) => [...row].map(([takenFor, count]) => ({ kind, takenFor, count }))),
  }
}

function largest<T>(names: readonly T[], shares: Float64Array): T {
  return names[shares.indexOf(Math.max(...shares))]!
}
