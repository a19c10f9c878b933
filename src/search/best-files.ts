import type { Segment } from './segment-file.ts'
import { insertDescending, type ChunkTuning, type TextList } from './term-lists.ts'

/** A file and its best-matching chunk. */
export interface Ranked {
  segment: Segment
  file: number
  chunk: number
  score: number
}

/** Which files and chunks may be returned. */
export interface Admission {
  file?: (segment: Segment, file: number) => boolean
  chunk?: (segment: Segment, chunk: number) => boolean
}

/** The matches of a query in one segment. */
export interface PartScores {
  segment: Segment
  /** Chunks of the largest file. */
  longestFile: number
  /** By file: 1 when it is deleted. */
  dead: Uint8Array
  /** One per query term that occurs in the segment's texts. */
  texts: { list: TextList; unit: number }[]
  /** By file: upper bound of its text score. Consumed by `bestFiles`. */
  bound: Float32Array
  /** By file: score of its path and its history. */
  extra: Float32Array
  /** By file: factor of its score. */
  prior: Float32Array
}

/**
 * The best files in order, exactly as if all had been scored. Terms are looked up only in the chunks of files whose
 * upper bound reaches the score of the last file kept.
 */
export function bestFiles(
  parts: readonly PartScores[],
  limit: number,
  admission: Admission,
  tuning: ChunkTuning,
): Ranked[] {
  const kept: (Ranked & Place)[] = []
  const scratch = { chunkSums: new Float32Array(longestFile(parts)), top: new Float64Array(tuning.decayedChunks) }
  const consider = (order: number, file: number) => {
    const part = parts[order]!
    const { segment, bound } = part
    if (admission.file?.(segment, file) !== false) {
      const scored = scoreFile(part, file, scratch, admission, tuning)
      if (scored !== undefined) keep(kept, limit, { segment, order, file, ...scored })
    }
    // Each file is considered once.
    bound[file] = 0
  }
  for (const part of parts) completeBounds(part)
  // Files with the highest bounds come first: their scores rule out most of the others.
  for (const { order, file } of likeliest(parts, limit)) consider(order, file)
  let least = kept.length === limit ? kept[limit - 1]!.score : 0
  for (const [order, { bound }] of parts.entries()) {
    for (let file = 0; file < bound.length; file++) {
      if (bound[file]! < least || bound[file]! <= 0) continue
      consider(order, file)
      if (kept.length === limit) least = kept[limit - 1]!.score
    }
  }
  return kept.map(({ segment, file, chunk, score }) => ({ segment, file, chunk, score }))
}

// Bounds and scores add the same numbers in different order, and round differently.
const rounding = 1.0001

/** Converts the bound of a file's text to that of its score. */
function completeBounds({ dead, bound, extra, prior }: PartScores): void {
  for (let file = 0; file < bound.length; file++) {
    bound[file] = dead[file] === 1 ? 0 : (bound[file]! + extra[file]!) * prior[file]! * rounding
  }
}

function longestFile(parts: readonly PartScores[]): number {
  return Math.max(0, ...parts.map(({ longestFile: chunks }) => chunks))
}

interface Place {
  /** One per segment. */
  order: number
  file: number
  score: number
}

function likeliest(parts: readonly PartScores[], limit: number): Place[] {
  const kept: Place[] = []
  let least = 0
  for (const [order, { bound }] of parts.entries()) {
    for (let file = 0; file < bound.length; file++) {
      const score = bound[file]!
      if (score <= least) continue
      keep(kept, limit, { order, file, score })
      if (kept.length === limit) least = kept[limit - 1]!.score
    }
  }
  return kept
}

/** Inserts into a list in descending order of score; ties are in index order. */
function keep<T extends Place>(kept: T[], limit: number, one: T): void {
  if (kept.length === limit && !isBefore(one, kept[limit - 1]!)) return
  let low = 0
  let high = kept.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(one, kept[middle]!)) high = middle
    else low = middle + 1
  }
  kept.splice(low, 0, one)
  if (kept.length > limit) kept.pop()
}

function isBefore(a: Place, b: Place): boolean {
  return a.score !== b.score ? a.score > b.score : a.order !== b.order ? a.order < b.order : a.file < b.file
}

/** Memory that is used again for each file. */
interface Scratch {
  chunkSums: Float32Array
  top: Float64Array
}

/** Undefined when none of the file's chunks may be found. */
function scoreFile(
  { segment, texts, extra, prior }: PartScores,
  file: number,
  { chunkSums, top }: Scratch,
  { chunk: admits }: Admission,
  { soft, decay, head }: ChunkTuning,
): { chunk: number; score: number } | undefined {
  const first = segment.firstChunks[file]!
  const count = segment.firstChunks[file + 1]! - first
  chunkSums.fill(0, 0, count)
  let strongest = 0
  for (const { list, unit } of texts) {
    const place = placeOf(list.files, file)
    if (place < 0) continue
    const { starts, chunks, impacts } = list
    const end = starts[place + 1]!
    let most = 0
    for (let index = starts[place]!; index < end; index++) {
      const impact = impacts[index]!
      if (impact > most) most = impact
      chunkSums[chunks[index]! - first]! += impact * unit
    }
    strongest += most * unit
  }
  top.fill(0)
  let best = -1
  if (count > 1) chunkSums[0]! *= head
  for (let index = 0; index < count; index++) {
    const value = chunkSums[index]!
    if (value <= top[top.length - 1]! || admits?.(segment, first + index) === false) continue
    if (value > top[0]!) best = first + index
    insertDescending(top, value)
  }
  if (admits !== undefined && best < 0) return undefined
  let score = strongest * soft + extra[file]!
  for (let rank = 0, share = 1; rank < top.length; rank++, share *= decay) score += share * top[rank]!
  return { chunk: Math.max(best, first), score: score * prior[file]! }
}

/** Index of a number in a sorted list, or -1. */
function placeOf(sorted: Uint32Array, value: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return sorted[low] === value ? low : -1
}
