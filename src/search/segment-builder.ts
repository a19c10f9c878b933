import { createChunkColumns } from './chunk-columns.ts'
import { chunksOf, type Chunk } from './chunk.ts'
import { createIdentifierTable } from './identifier-table.ts'
import type { IndexOptions } from './options.ts'
import { linesOf, outlineOf } from './outline.ts'
import { impactOf, lengthNorm, writeCounts } from './postings.ts'
import { notAscii, scan } from './scan.ts'
import { writeSegment, type IndexedFile } from './segment-file.ts'
import { createGrowingArray } from './growing.ts'
import { createByteWriter } from './varint.ts'
import { wordsOf, wordsOfText } from './words.ts'

/** Collects files in memory, writes them as one segment, and starts again in the same memory. */
export interface SegmentBuilder {
  add(file: IndexedFile, text: string): void
  readonly files: number
  /** Whether it should be written now. */
  readonly full: boolean
  write(file: string): void
}

// Together about 40 MB at most, which bounds the memory of indexing.
const maxPostings = 1_000_000
const maxTerms = 100_000
const maxIdentifiers = 150_000

/** Words in an average chunk line, directory and file name: the reference lengths of the length norm. */
const wordsPerLine = 5
const directoryWords = 6
const nameWords = 4
const pathB = 0.6

export function createSegmentBuilder(options: IndexOptions): SegmentBuilder {
  const { k1, b, weights } = options
  const defaultChunk = options.chunkSize * wordsPerLine
  const terms = new Map<string, number>()
  const identifiers = createIdentifierTable()
  const files: IndexedFile[] = []
  const firstChunks = createGrowingArray(Uint32Array)
  firstChunks.push(0)
  const chunks = createChunkColumns()
  const symbols = new Set<number>()

  const posted = {
    term: createGrowingArray(Uint32Array),
    chunk: createGrowingArray(Uint32Array),
    impact: createGrowingArray(Uint8Array),
  }
  const paths = {
    term: createGrowingArray(Uint32Array),
    file: createGrowingArray(Uint32Array),
    impact: createGrowingArray(Uint8Array),
  }

  // Per term, by its number: frequency in the current chunk, and the last chunk and file it was seen in, plus one.
  let frequency = new Float32Array(4096)
  let lastChunk = new Uint32Array(4096)
  let lastFile = new Uint32Array(4096)
  let filesWith = new Uint32Array(4096)
  let touched = new Uint32Array(4096)
  let touchedCount = 0
  // The number of the current chunk plus one, so that zero means never.
  let stamp = 1

  const numberOf = (word: string) => {
    let term = terms.get(word)
    if (term === undefined) {
      term = terms.size
      terms.set(flat(word), term)
      if (term === frequency.length) {
        frequency = doubled(frequency, Float32Array)
        lastChunk = doubled(lastChunk, Uint32Array)
        lastFile = doubled(lastFile, Uint32Array)
        filesWith = doubled(filesWith, Uint32Array)
        touched = doubled(touched, Uint32Array)
      }
    }
    return term
  }
  const count = (term: number, weight: number) => {
    if (lastChunk[term] === stamp) frequency[term]! += weight
    else {
      lastChunk[term] = stamp
      frequency[term] = weight
      touched[touchedCount++] = term
    }
  }
  /** Returns the number of words. */
  const countIdentifier = (
    text: string,
    start: number,
    end: number,
    hash: number | typeof notAscii,
    weight: number,
  ) => {
    if (hash === notAscii) {
      const words = wordsOf(text.slice(start, end))
      for (const word of words) count(numberOf(word), weight)
      return words.length
    }
    let entry = identifiers.find(text, start, end, hash)
    if (entry < 0) {
      const its = wordsOf(text.slice(start, end)).map(numberOf)
      entry = identifiers.add(text, start, end, hash, its)
    }
    const numbers = identifiers.terms
    const from = identifiers.firstTerms[entry]!
    const to = identifiers.firstTerms[entry + 1]!
    for (let at = from; at < to; at++) count(numbers[at]!, weight)
    return to - from
  }
  const endChunk = (chunk: Chunk, start: number, length: number) => {
    for (const word of chunk.names.flatMap(wordsOfText)) {
      const term = numberOf(word)
      count(term, weights.symbol)
      symbols.add(term)
    }
    const norm = lengthNorm(length, defaultChunk, b)
    const fileStamp = files.length + 1
    for (let at = 0; at < touchedCount; at++) {
      const term = touched[at]!
      posted.term.push(term)
      posted.chunk.push(stamp - 1)
      posted.impact.push(impactOf(frequency[term]! / norm, k1))
      if (lastFile[term] !== fileStamp) {
        lastFile[term] = fileStamp
        filesWith[term]!++
      }
    }
    touchedCount = 0
    chunks.push({ first: chunk.first, last: chunk.last, start, symbol: chunk.symbol })
    stamp = chunks.length + 1
  }
  const addPath = (relative: string) => {
    const slash = relative.lastIndexOf('/') + 1
    const directory = countWords(wordsOfText(relative.slice(0, slash)))
    const name = countWords(fileNameWords(relative.slice(slash)))
    for (const word of new Set([...directory.counts.keys(), ...name.counts.keys()])) {
      const inDirectory = directory.counts.get(word) ?? 0
      const inName = name.counts.get(word) ?? 0
      const term = numberOf(word)
      paths.term.push(term)
      paths.file.push(files.length)
      paths.impact.push(impactOf(inDirectory / lengthNorm(directory.length, directoryWords, pathB), k1))
      paths.impact.push(impactOf(inName / lengthNorm(name.length, nameWords, pathB), k1))
      if (inName > 0) symbols.add(term)
    }
  }

  const clear = () => {
    for (const each of [terms, identifiers, chunks, symbols, firstChunks]) each.clear()
    for (const each of [posted.term, posted.chunk, posted.impact, paths.term, paths.file, paths.impact]) each.clear()
    for (const each of [lastChunk, lastFile, filesWith]) each.fill(0)
    firstChunks.push(0)
    stamp = 1
    files.length = 0
  }

  return {
    add(file, text) {
      addPath(file.path.slice(file.rootLength))
      addText(file, text, options, { countIdentifier, endChunk })
      files.push(file)
      firstChunks.push(chunks.length)
    },
    get files() {
      return files.length
    },
    get full() {
      return posted.term.length >= maxPostings || terms.size >= maxTerms || identifiers.size >= maxIdentifiers
    },
    write(file) {
      const ordered = [...terms.keys()].sort(byCodeUnits)
      const inText = sortByTerm(posted.term.view(), terms.size)
      const inPaths = sortByTerm(paths.term.view(), terms.size)
      const chunkOf = posted.chunk.values
      const impact = posted.impact.values
      const pathImpact = paths.impact.values
      const out = createByteWriter(1 << 16)
      writeSegment(file, {
        files,
        firstChunks: firstChunks.view(),
        chunks,
        symbols: ordered.filter(word => symbols.has(terms.get(word)!)),
        *terms() {
          for (const word of ordered) {
            const term = terms.get(word)!
            const [from, to] = [inText.starts[term]!, inText.starts[term + 1]!]
            const [pathFrom, pathTo] = [inPaths.starts[term]!, inPaths.starts[term + 1]!]
            out.clear()
            writeCounts(out, { chunks: to - from, files: filesWith[term]!, paths: pathTo - pathFrom })
            out.gaps(inText.order, from, to, chunkOf, impact)
            let previous = 0
            for (let position = pathFrom; position < pathTo; position++) {
              const at = inPaths.order[position]!
              out.varint(paths.file.values[at]! - previous)
              out.byte(pathImpact[at * 2]!)
              out.byte(pathImpact[at * 2 + 1]!)
              previous = paths.file.values[at]!
            }
            yield { term: word, payload: out.view() }
          }
        },
      })
      clear()
    },
  }
}

/** The consumer of a file's text, in order. */
interface TextSink {
  /** Returns the number of words. */
  countIdentifier: (text: string, start: number, end: number, hash: number | typeof notAscii, weight: number) => number
  endChunk: (chunk: Chunk, start: number, length: number) => void
}

function addText(
  file: IndexedFile,
  text: string,
  { chunkSize, weights }: IndexOptions,
  { countIdentifier, endChunk }: TextSink,
): void {
  const { language } = file
  const lines = linesOf(text)
  const chunks = chunksOf(lines, outlineOf(text, lines, language), chunkSize)
  const placeOf = placesIn(file, text)
  let current = 0
  let length = 0
  const endOf = (index: number) => lines.starts[chunks[index]!.last + 1] ?? Infinity
  let end = chunks.length === 0 ? Infinity : endOf(0)
  const finish = () => {
    endChunk(chunks[current]!, placeOf(lines.starts[chunks[current]!.first]!), length)
    length = 0
    current++
  }
  scan(text, language, (start, stop, hash, inComment) => {
    while (start >= end) {
      finish()
      end = endOf(current)
    }
    length += countIdentifier(text, start, stop, hash, inComment ? weights.comment : weights.body)
  })
  while (current < chunks.length) finish()
}

/** Converts ascending offsets in a text to offsets in its file, which may start with a byte order mark. */
function placesIn({ sizeBytes, inPlace }: IndexedFile, text: string): (offset: number) => number {
  if (!inPlace || text.length === sizeBytes) return offset => offset
  let place = sizeBytes - Buffer.byteLength(text)
  let done = 0
  return offset => {
    place += Buffer.byteLength(text.slice(done, offset))
    done = offset
    return place
  }
}

/** The words of a file's name, with hyphenated neighbors also joined: `rate-limit.ts` is also `ratelimit`. */
function fileNameWords(name: string): string[] {
  const pieces = name.split(/[-. ]+/).filter(piece => piece !== '')
  const joined = pieces.slice(0, -2).map((piece, at) => `${piece}${pieces[at + 1]!}`.toLowerCase())
  return [...wordsOfText(name), ...joined]
}

function countWords(words: readonly string[]): { counts: Map<string, number>; length: number } {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return { counts, length: words.length }
}

/** Positions of postings grouped by term, in order within a term: a counting sort. */
function sortByTerm(postedTerm: Uint32Array, termCount: number): { starts: Uint32Array; order: Uint32Array } {
  const starts = new Uint32Array(termCount + 1)
  for (const term of postedTerm) starts[term + 1]!++
  for (let term = 0; term < termCount; term++) starts[term + 1]! += starts[term]!
  const next = starts.slice()
  const order = new Uint32Array(postedTerm.length)
  for (let at = 0; at < postedTerm.length; at++) order[next[postedTerm[at]!]!++] = at
  return { starts, order }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

// A longer slice would reference its file's text and keep all of it in memory.
function flat(text: string): string {
  return text.length < 13 ? text : Buffer.from(text).toString()
}

function doubled<T extends Float32Array | Uint32Array>(array: T, kind: new (length: number) => T): T {
  const larger = new kind(array.length * 2)
  larger.set(array)
  return larger
}
