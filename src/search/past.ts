import type { Commits } from './commits-file.ts'
import { idf } from './postings.ts'
import type { PastList } from './term-lists.ts'

/** A query term in one history. */
export interface PastWord {
  list: PastList
  /** Weight of the term in the query. */
  weight: number
}

/** Ranking parameters of the history. */
export interface PastTuning {
  neighbours: number
  neighbourCommits: number
  neighbourPower: number
  idfPower: number
  /** Weight of a term in a file's commits. */
  history: number
  k1: number
}

/** Scores the terms of a query against one history; keeps its memory between queries. */
export interface Past {
  /**
   * Scores by path: terms of its commits as one more field, and whole commits similar to the query. Valid until the
   * next call.
   */
  weigh(words: readonly PastWord[]): Float32Array
}

export function openPast(history: Commits, tuning: PastTuning): Past {
  const { firstPaths, paths, subjectWeights, commitCount, pathCount } = history
  const byPath = new Float32Array(pathCount)
  const likeness = new Float32Array(commitCount)
  const alike = new Uint32Array(commitCount)
  return {
    weigh(words) {
      byPath.fill(0)
      let count = 0
      let most = 0
      for (const { list, weight } of words) {
        const { commits, paths: touched, impacts } = list
        const commitUnit = (idf(commits.length, commitCount) ** tuning.idfPower * weight) / (tuning.k1 + 1)
        for (let index = 0; index < commits.length; index++) {
          const commit = commits[index]!
          const before = likeness[commit]!
          // Nothing that is added is zero, so a sum is zero only before its first addition.
          if (before === 0) alike[count++] = commit
          const sum = before + commitUnit * subjectWeights[commit]!
          likeness[commit] = sum
          if (sum > most) most = sum
        }
        const pathUnit = (idf(touched.length, pathCount) ** tuning.idfPower * weight * tuning.history) / 255
        for (let index = 0; index < touched.length; index++) byPath[touched[index]!]! += pathUnit * impacts[index]!
      }
      // A less similar commit would contribute next to nothing.
      for (const { commit, value } of largest(likeness, alike, count, tuning.neighbourCommits, most * 0.3)) {
        const [from, to] = [firstPaths[commit]!, firstPaths[commit + 1]!]
        const gain = (tuning.neighbours * value * (value / most) ** tuning.neighbourPower) / Math.sqrt(to - from)
        for (let place = from; place < to; place++) byPath[paths[place]!]! += gain
      }
      for (let index = 0; index < count; index++) likeness[alike[index]!] = 0
      return byPath
    },
  }
}

/** The commits with the largest sums above a bound, largest first. */
function largest(
  sums: Float32Array,
  named: Uint32Array,
  count: number,
  limit: number,
  above: number,
): { commit: number; value: number }[] {
  const kept: { commit: number; value: number }[] = []
  let least = above
  for (let index = 0; index < count; index++) {
    const commit = named[index]!
    const value = sums[commit]!
    if (value <= least) continue
    let place = kept.length
    while (place > 0 && kept[place - 1]!.value < value) place--
    kept.splice(place, 0, { commit, value })
    if (kept.length > limit) kept.pop()
    if (kept.length === limit) least = kept[limit - 1]!.value
  }
  return kept
}
