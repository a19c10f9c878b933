import { LRUCache } from 'lru-cache'
import type { Commits } from './commits-file.ts'
import type { IndexView } from './index-view.ts'
import { readCounts } from './postings.ts'
import type { Segment } from './segment-file.ts'
import { DamagedFile } from './term-file.ts'
import { readVarint } from './varint.ts'

/** A term's postings in one segment, by file, ready for scoring. */
export interface TextList {
  /** Files with the term in their text, ascending. */
  files: Uint32Array
  /** By such a file: maximum contribution of the term to its score, in impact steps; see `tuning`. */
  most: Float32Array
  /** By such a file, where its postings start; one extra entry marks the end. */
  starts: Uint32Array
  chunks: Uint32Array
  impacts: Uint8Array
  /** Files with the term in their path, and its impact in the directory and in the name. */
  pathFiles: Uint32Array
  directoryImpacts: Uint8Array
  nameImpacts: Uint8Array
}

/** A term's postings in one history: the commits with it, and the paths they touched. */
export interface PastList {
  commits: Uint32Array
  paths: Uint32Array
  impacts: Uint8Array
}

/** A term in the index, by segment and by history. */
export interface TermLists {
  texts: (TextList | undefined)[]
  pasts: (PastList | undefined)[]
  /** Files with the term in their text, and those with it in their path; both include deleted files. */
  files: number
  paths: number
}

/** How chunks form a file's score, which bounds a term's contribution to it. */
export interface ChunkTuning {
  decay: number
  decayedChunks: number
  head: number
  soft: number
}

/** Decoded terms of a view, cached while they are in use. */
export interface TermReader {
  /** Undefined for a term found in no file or commit. */
  read(view: IndexView, term: string): TermLists | undefined
}

// A term in every third of 105,000 chunks takes 0.25 MB; most terms take next to nothing.
const maxCachedBytes = 24 * 1024 * 1024

export function createTermReader(tuning: ChunkTuning): TermReader {
  const cache = new LRUCache<string, CachedTerm>({ maxSize: maxCachedBytes, sizeCalculation: bytesOf })
  // Cache entries refer to sources by number, so that the cache keeps no source in memory.
  const numbers = new WeakMap<Segment | Commits, number>()
  const sources = new WeakMap<IndexView, readonly number[]>()
  let nextNumber = 0
  const numberOf = (source: Segment | Commits) => {
    const number = numbers.get(source) ?? nextNumber++
    numbers.set(source, number)
    return number
  }
  const sourcesOf = (view: IndexView) => {
    const known = sources.get(view)
    if (known !== undefined) return known
    const its = [...view.parts.map(({ segment }) => segment), ...view.histories].map(numberOf)
    sources.set(view, its)
    return its
  }
  return {
    read(view, term) {
      const its = sourcesOf(view)
      const before = cache.get(term)
      if (before?.sources === its) return before.lists
      const texts = view.parts.map(({ segment }, index) => {
        const place = before?.sources.indexOf(its[index]!) ?? -1
        return place < 0 ? readText(segment, term, tuning) : before!.texts[place]
      })
      const pasts = view.histories.map((history, index) => {
        const place = before?.sources.indexOf(its[texts.length + index]!) ?? -1
        return place < 0 ? readPast(history, term) : before!.pasts[place - before!.texts.length]
      })
      const lists = listsOf(texts, pasts)
      cache.set(term, { sources: its, texts, pasts, lists })
      return lists
    },
  }
}

interface CachedTerm {
  sources: readonly number[]
  texts: (TextList | undefined)[]
  pasts: (PastList | undefined)[]
  lists: TermLists | undefined
}

function listsOf(texts: TermLists['texts'], pasts: TermLists['pasts']): TermLists | undefined {
  let [files, paths] = [0, 0]
  for (const text of texts) {
    files += text?.files.length ?? 0
    paths += text?.pathFiles.length ?? 0
  }
  const known = files + paths > 0 || pasts.some(past => past !== undefined)
  return known ? { texts, pasts, files, paths } : undefined
}

/** Size of a cached term besides its postings. */
const bytesPerTerm = 200
const listBytes = 600

function bytesOf({ texts, pasts }: CachedTerm): number {
  let bytes = bytesPerTerm
  for (const text of texts) {
    if (text !== undefined)
      bytes += listBytes + text.files.length * 12 + text.chunks.length * 5 + text.pathFiles.length * 6
  }
  for (const past of pasts) {
    if (past !== undefined) bytes += listBytes + past.commits.length * 4 + past.paths.length * 5
  }
  return bytes
}

function readText(segment: Segment, term: string, tuning: ChunkTuning): TextList | undefined {
  const payload = segment.find(term)
  if (payload === undefined) return undefined
  const reader = { bytes: payload, position: 0 }
  const counts = readCounts(reader)
  checkCount(counts.chunks + counts.files + counts.paths, payload)
  const list: TextList = {
    files: new Uint32Array(counts.files),
    most: new Float32Array(counts.files),
    starts: new Uint32Array(counts.files + 1),
    chunks: new Uint32Array(counts.chunks),
    impacts: new Uint8Array(counts.chunks),
    pathFiles: new Uint32Array(counts.paths),
    directoryImpacts: new Uint8Array(counts.paths),
    nameImpacts: new Uint8Array(counts.paths),
  }
  const { files, starts, chunks, impacts } = list
  const fileOf = segment.fileOf()
  let chunk = 0
  let place = -1
  let file = -1
  // Inlined: this loop takes most of a query's time when its terms are not cached.
  let position = reader.position
  for (let index = 0; index < counts.chunks; index++) {
    let byte = payload[position++]!
    let gap = byte & 127
    for (let shift = 7; byte > 127 && shift < 35; shift += 7) {
      byte = payload[position++]!
      gap |= (byte & 127) << shift
    }
    chunk += gap
    chunks[index] = chunk
    impacts[index] = payload[position++]!
    if (fileOf[chunk] === file) continue
    file = fileOf[chunk]!
    files[++place] = file
    starts[place] = index
  }
  starts[counts.files] = counts.chunks
  boundFiles(list, segment.firstChunks, tuning)
  reader.position = position
  file = 0
  for (let index = 0; index < counts.paths; index++) {
    file += readVarint(reader)
    list.pathFiles[index] = file
    list.directoryImpacts[index] = payload[reader.position++]!
    list.nameImpacts[index] = payload[reader.position++]!
  }
  return list
}

/**
 * The decayed sum of a file's best chunks is at most the sum over the terms of the same for each term alone: no chunk
 * of a rank has more of a term than the term's own chunk of that rank.
 */
function boundFiles({ files, most, starts, chunks, impacts }: TextList, firstChunks: Uint32Array, tuning: ChunkTuning) {
  const { decay, decayedChunks, head, soft } = tuning
  const top = new Float64Array(decayedChunks)
  for (let place = 0; place < files.length; place++) {
    const file = files[place]!
    const first = firstChunks[file]!
    const headFactor = firstChunks[file + 1]! - first > 1 ? head : 1
    const from = starts[place]!
    const to = starts[place + 1]!
    let strongest = impacts[from]!
    if (to - from === 1) {
      most[place] = strongest * soft + strongest * (chunks[from] === first ? headFactor : 1)
      continue
    }
    top.fill(0)
    for (let index = from; index < to; index++) {
      const impact = impacts[index]!
      if (impact > strongest) strongest = impact
      insertDescending(top, chunks[index] === first ? impact * headFactor : impact)
    }
    let sum = strongest * soft
    for (let rank = 0, share = 1; rank < top.length; rank++, share *= decay) sum += share * top[rank]!
    most[place] = sum
  }
}

/** Inserts a value into the largest ones, in descending order, and drops the smallest. */
export function insertDescending(top: Float64Array, value: number): void {
  let place = top.length - 1
  if (value <= top[place]!) return
  for (; place > 0 && top[place - 1]! < value; place--) top[place] = top[place - 1]!
  top[place] = value
}

function readPast(history: Commits, term: string): PastList | undefined {
  const payload = history.find(term)
  if (payload === undefined) return undefined
  const reader = { bytes: payload, position: 0 }
  const having = checkCount(readVarint(reader), payload)
  const commits = new Uint32Array(having)
  for (let index = 0, commit = 0; index < having; index++) {
    commit += readVarint(reader)
    commits[index] = commit
  }
  const touched = checkCount(readVarint(reader), payload)
  const paths = new Uint32Array(touched)
  const impacts = new Uint8Array(touched)
  for (let index = 0, path = 0; index < touched; index++) {
    path += readVarint(reader)
    paths[index] = path
    impacts[index] = payload[reader.position++]!
  }
  return { commits, paths, impacts }
}

/** A posting takes at least a byte, so that a damaged count cannot request unbounded memory. */
function checkCount(count: number, payload: Uint8Array): number {
  if (count > payload.length) throw new DamagedFile('a term has more postings than bytes')
  return count
}
