import { chunksOf, type Chunk } from './chunk.ts'
import { languageOf, type Language } from './languages.ts'
import type { IndexOptions } from './options.ts'
import { linesOf, outlineOf } from './outline.ts'
import { impactOf, lengthNorm, writeCounts } from './postings.ts'
import { scan } from './scan.ts'
import { writeSegment, type ChunkPlace, type IndexedFile } from './segment-file.ts'
import { growing } from './growing.ts'
import { byteWriter, type ByteWriter } from './varint.ts'
import { wordsOf, wordsOfText } from './words.ts'

/** Collects files in memory until they are written as one segment. */
export interface SegmentBuilder {
  add(file: IndexedFile, text: string): void
  readonly files: number
  /** Whether it holds as much as it should before it is written. */
  readonly full: boolean
  write(file: string): void
}

// Together about 130 MB at most, which bounds the memory of indexing however much there is to index.
const maxPostings = 3_000_000
const maxTerms = 300_000
const maxKnownIdentifiers = 400_000

/** Words of a usual chunk line, directory and file name: the lengths that are neither rewarded nor punished. */
const wordsPerLine = 5
const directoryWords = 6
const nameWords = 4
const pathB = 0.6

export function segmentBuilder(options: IndexOptions): SegmentBuilder {
  const { k1, b, weights } = options
  const usualChunk = options.chunkSize * wordsPerLine
  const terms = new Map<string, number>()
  const termsOf = new Map<string, readonly number[]>()
  const files: IndexedFile[] = []
  const firstChunks: number[] = [0]
  const chunks: ChunkPlace[] = []
  const symbols = new Set<number>()

  const postedTerm = growing(Uint32Array)
  const postedChunk = growing(Uint32Array)
  const postedImpact = growing(Uint8Array)
  const paths = { term: growing(Uint32Array), file: growing(Uint32Array), impact: growing(Uint8Array) }

  // Per term, by its number: frequency in the current chunk, and the last chunk and file it was seen in, plus one.
  const frequency = growing(Float32Array)
  const lastChunk = growing(Uint32Array)
  const lastFile = growing(Uint32Array)
  const filesWith = growing(Uint32Array)
  const touched: number[] = []

  const numberOf = (word: string) => {
    let term = terms.get(word)
    if (term === undefined) {
      term = terms.size
      terms.set(flat(word), term)
      for (const array of [frequency, lastChunk, lastFile, filesWith]) array.push(0)
    }
    return term
  }
  const numbersOf = (identifier: string) => {
    const known = termsOf.get(identifier)
    if (known !== undefined) return known
    const numbers = wordsOf(identifier).map(numberOf)
    if (termsOf.size >= maxKnownIdentifiers) termsOf.clear()
    termsOf.set(flat(identifier), numbers)
    return numbers
  }
  const count = (term: number, weight: number) => {
    const stamp = chunks.length + 1
    if (lastChunk.values[term] !== stamp) {
      lastChunk.values[term] = stamp
      frequency.values[term] = 0
      touched.push(term)
    }
    frequency.values[term]! += weight
  }
  const endChunk = (chunk: Chunk, start: number, length: number) => {
    for (const name of chunk.names) {
      for (const term of name.split(identifierGap).flatMap(numbersOf)) {
        count(term, weights.symbol)
        symbols.add(term)
      }
    }
    const norm = lengthNorm(length, usualChunk, b)
    const fileStamp = files.length + 1
    for (const term of touched) {
      postedTerm.push(term)
      postedChunk.push(chunks.length)
      postedImpact.push(impactOf(frequency.values[term]! / norm, k1))
      if (lastFile.values[term] !== fileStamp) {
        lastFile.values[term] = fileStamp
        filesWith.values[term]!++
      }
    }
    touched.length = 0
    chunks.push({ first: chunk.first, last: chunk.last, start, symbol: chunk.symbol })
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

  return {
    add(file, text) {
      const language = languageOf(file.path, text.slice(0, 80))
      addPath(file.path.slice(file.rootLength))
      addText(text, language, options.chunkSize, numbersOf, count, endChunk, weights)
      files.push(file)
      firstChunks.push(chunks.length)
    },
    get files() {
      return files.length
    },
    get full() {
      return postedTerm.length >= maxPostings || terms.size >= maxTerms
    },
    write(file) {
      const ordered = [...terms.keys()].sort(byCodeUnits)
      const posted = sortByTerm(postedTerm.view(), terms.size)
      const pathed = sortByTerm(paths.term.view(), terms.size)
      const chunkOf = postedChunk.view()
      const impact = postedImpact.view()
      const out = byteWriter(1 << 16)
      writeSegment(file, {
        files,
        firstChunks: Uint32Array.from(firstChunks),
        chunks,
        symbols: ordered.filter(word => symbols.has(terms.get(word)!)),
        *terms() {
          for (const word of ordered) {
            const term = terms.get(word)!
            const [from, to] = [posted.starts[term]!, posted.starts[term + 1]!]
            const [pathFrom, pathTo] = [pathed.starts[term]!, pathed.starts[term + 1]!]
            out.clear()
            writeCounts(out, { chunks: to - from, files: filesWith.values[term]!, paths: pathTo - pathFrom })
            writeGaps(out, posted.order, from, to, chunkOf, at => out.byte(impact[at]!))
            writeGaps(out, pathed.order, pathFrom, pathTo, paths.file.values, at => {
              out.byte(paths.impact.values[at * 2]!)
              out.byte(paths.impact.values[at * 2 + 1]!)
            })
            yield { term: word, payload: out.view() }
          }
        },
      })
    },
  }
}

const identifierGap = /[^\p{L}\p{N}\p{M}_$]+/u

function addText(
  text: string,
  language: Language,
  chunkSize: number,
  numbersOf: (identifier: string) => readonly number[],
  count: (term: number, weight: number) => void,
  endChunk: (chunk: Chunk, start: number, length: number) => void,
  weights: IndexOptions['weights'],
): void {
  const lines = linesOf(text)
  const chunks = chunksOf(lines, outlineOf(text, lines, language), chunkSize)
  let current = 0
  let length = 0
  const endOf = (index: number) => lines.starts[chunks[index]!.last + 1] ?? Infinity
  let end = chunks.length === 0 ? Infinity : endOf(0)
  scan(text, language, (identifier, start, inComment) => {
    while (start >= end) {
      endChunk(chunks[current]!, lines.starts[chunks[current]!.first]!, length)
      length = 0
      end = endOf(++current)
    }
    const weight = inComment ? weights.comment : weights.body
    const numbers = numbersOf(identifier)
    for (let at = 0; at < numbers.length; at++) count(numbers[at]!, weight)
    length += numbers.length
  })
  for (; current < chunks.length; current++) {
    endChunk(chunks[current]!, lines.starts[chunks[current]!.first]!, length)
    length = 0
  }
}

/** The words of a file's name, and its hyphenated neighbours joined: `rate-limit.ts` is also `ratelimit`. */
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

/** Positions of postings grouped by term, in their order within a term: a counting sort. */
function sortByTerm(postedTerm: Uint32Array, termCount: number): { starts: Uint32Array; order: Uint32Array } {
  const starts = new Uint32Array(termCount + 1)
  for (const term of postedTerm) starts[term + 1]!++
  for (let term = 0; term < termCount; term++) starts[term + 1]! += starts[term]!
  const next = starts.slice()
  const order = new Uint32Array(postedTerm.length)
  for (let at = 0; at < postedTerm.length; at++) order[next[postedTerm[at]!]!++] = at
  return { starts, order }
}

function writeGaps(
  out: ByteWriter,
  order: Uint32Array,
  from: number,
  to: number,
  ids: Uint32Array,
  rest: (at: number) => void,
): void {
  let previous = 0
  for (let position = from; position < to; position++) {
    const at = order[position]!
    out.varint(ids[at]! - previous)
    previous = ids[at]!
    rest(at)
  }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

// A longer slice is a window into its file's text, and would keep all of it in memory.
function flat(text: string): string {
  return text.length < 13 ? text : Buffer.from(text).toString()
}
