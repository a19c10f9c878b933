import type { Commits } from './commits-file.ts'
import { idf } from './postings.ts'
import { readVarint } from './varint.ts'

/** A word of a query as one history has it. */
export interface PastWord {
  /** Its postings there, as `Commits.find` gives them. */
  bytes: Uint8Array
  /** What the word counts in the query. */
  weight: number
}

/** Parameters of the ranking that are about history. */
export interface PastTuning {
  neighbours: number
  neighbourCommits: number
  neighbourPower: number
  idfPower: number
  /** What a word of a file's commits counts. */
  history: number
  k1: number
}

/** Scores what the words of a query say through one history; keeps its memory between queries. */
export interface Past {
  /**
   * By path: words of its commits as one more field, and whole commits that are like the query. Valid until the next
   * call.
   */
  weigh(words: readonly PastWord[]): Float32Array
}

export function openPast(history: Commits, tuning: PastTuning): Past {
  const { firstPaths, paths, wordWorth, commitCount, pathCount } = history
  const byPath = sparseSums(pathCount)
  const likeness = sparseSums(commitCount)
  return {
    weigh(words) {
      byPath.clear()
      likeness.clear()
      for (const { bytes, weight } of words) {
        const reader = { bytes, at: 0 }
        const having = readVarint(reader)
        const commitUnit = (idf(having, commitCount) ** tuning.idfPower * weight) / (tuning.k1 + 1)
        for (let left = having, commit = 0; left > 0; left--) {
          commit += readVarint(reader)
          likeness.add(commit, commitUnit * wordWorth[commit]!)
        }
        const touched = readVarint(reader)
        const pathUnit = (idf(touched, pathCount) ** tuning.idfPower * weight * tuning.history) / 255
        for (let left = touched, path = 0; left > 0; left--) {
          path += readVarint(reader)
          byPath.add(path, pathUnit * bytes[reader.at++]!)
        }
      }
      let most = 0
      likeness.each((_, value) => (most = Math.max(most, value)))
      // Less like than this, a commit would count next to nothing.
      for (const { index: commit, value } of largest(likeness, tuning.neighbourCommits, most * 0.3)) {
        const [from, to] = [firstPaths[commit]!, firstPaths[commit + 1]!]
        const gain = (tuning.neighbours * value * (value / most) ** tuning.neighbourPower) / Math.sqrt(to - from)
        for (let place = from; place < to; place++) byPath.add(paths[place]!, gain)
      }
      return byPath.sums
    },
  }
}

/** Sums by index that cost nothing for the indexes that are not named: a word of most queries names few. */
interface SparseSums {
  readonly sums: Float32Array
  add(index: number, value: number): void
  each(see: (index: number, value: number) => void): void
  clear(): void
}

function sparseSums(size: number): SparseSums {
  const sums = new Float32Array(size)
  const named = new Uint32Array(size)
  let count = 0
  return {
    sums,
    add(index, value) {
      // Nothing that is added is zero, so that a sum is zero only before its first addition.
      if (sums[index] === 0) named[count++] = index
      sums[index]! += value
    },
    each(see) {
      for (let at = 0; at < count; at++) see(named[at]!, sums[named[at]!]!)
    },
    clear() {
      for (let at = 0; at < count; at++) sums[named[at]!] = 0
      count = 0
    },
  }
}

/** The largest sums above a bound, largest first. */
function largest(sums: SparseSums, limit: number, above: number): { index: number; value: number }[] {
  const kept: { index: number; value: number }[] = []
  let least = above
  sums.each((index, value) => {
    if (value <= least) return
    let place = kept.length
    while (place > 0 && kept[place - 1]!.value < value) place--
    kept.splice(place, 0, { index, value })
    if (kept.length > limit) kept.pop()
    if (kept.length === limit) least = kept[limit - 1]!.value
  })
  return kept
}
