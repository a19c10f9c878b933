import { createChunkColumns } from './chunk-columns.ts'
import type { Chunk } from './chunk.ts'
import { createGrowingArray } from './growing.ts'
import { createIdentifierTable } from './identifier-table.ts'
import type { IndexOptions } from './options.ts'
import { impactOf, lengthNorm, writeCounts } from './postings.ts'
import { scanChunks } from './scan-chunks.ts'
import { notAscii } from './scan.ts'
import { writeSegment, type IndexedFile, type SegmentContent } from './segment-file.ts'
import { createTermCounts, type TermCounts } from './term-counts.ts'
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
  const terms = createTermCounts()
  const identifiers = createIdentifierTable()
  const files: IndexedFile[] = []
  const firstChunks = createGrowingArray(Uint32Array)
  firstChunks.push(0)
  const chunks = createChunkColumns()
  const symbols = new Set<number>()
  const { inText, inPaths } = createPostings()

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
      for (const word of words) terms.count(terms.numberOf(word), weight)
      return words.length
    }
    let entry = identifiers.find(text, start, end, hash)
    if (entry < 0) {
      const its = wordsOf(text.slice(start, end)).map(terms.numberOf)
      entry = identifiers.add(text, start, end, hash, its)
    }
    const numbers = identifiers.terms
    const from = identifiers.firstTerms[entry]!
    const to = identifiers.firstTerms[entry + 1]!
    for (let index = from; index < to; index++) terms.count(numbers[index]!, weight)
    return to - from
  }
  const endChunk = (chunk: Chunk, start: number, length: number) => {
    for (const word of chunk.names.flatMap(wordsOfText)) {
      const term = terms.numberOf(word)
      terms.count(term, weights.symbol)
      symbols.add(term)
    }
    const norm = lengthNorm(length, defaultChunk, b)
    terms.endChunk(files.length, (term, frequency) => {
      inText.term.push(term)
      inText.chunk.push(chunks.length)
      inText.impact.push(impactOf(frequency / norm, k1))
    })
    chunks.push({ first: chunk.first, last: chunk.last, start, symbol: chunk.symbol })
  }
  const addPath = (relative: string) => {
    const slash = relative.lastIndexOf('/') + 1
    const directory = countWords(wordsOfText(relative.slice(0, slash)))
    const name = countWords(fileNameWords(relative.slice(slash)))
    for (const word of new Set([...directory.counts.keys(), ...name.counts.keys()])) {
      const inDirectory = directory.counts.get(word) ?? 0
      const inName = name.counts.get(word) ?? 0
      const term = terms.numberOf(word)
      inPaths.term.push(term)
      inPaths.file.push(files.length)
      inPaths.impact.push(impactOf(inDirectory / lengthNorm(directory.length, directoryWords, pathB), k1))
      inPaths.impact.push(impactOf(inName / lengthNorm(name.length, nameWords, pathB), k1))
      if (inName > 0) symbols.add(term)
    }
  }

  const clear = () => {
    for (const each of [terms, identifiers, chunks, symbols, firstChunks]) each.clear()
    for (const each of [...Object.values(inText), ...Object.values(inPaths)]) each.clear()
    firstChunks.push(0)
    files.length = 0
  }

  return {
    add(file, text) {
      addPath(file.path.slice(file.rootLength))
      scanChunks(file, text, options, { countIdentifier, endChunk })
      files.push(file)
      firstChunks.push(chunks.length)
    },
    get files() {
      return files.length
    },
    get full() {
      return inText.term.length >= maxPostings || terms.numbers.size >= maxTerms || identifiers.size >= maxIdentifiers
    },
    write(file) {
      const sorted = [...terms.numbers.keys()].sort(byCodeUnits)
      writeSegment(file, {
        files,
        firstChunks: firstChunks.view(),
        chunks,
        symbols: sorted.filter(term => symbols.has(terms.numbers.get(term)!)),
        terms: () => payloadsOf(sorted, terms, { inText, inPaths }),
      })
      clear()
    },
  }
}

type Postings = ReturnType<typeof createPostings>

/** Postings in the order they were found, as columns: of terms in chunks, and of terms in paths. */
function createPostings() {
  return {
    inText: {
      term: createGrowingArray(Uint32Array),
      chunk: createGrowingArray(Uint32Array),
      impact: createGrowingArray(Uint8Array),
    },
    inPaths: {
      term: createGrowingArray(Uint32Array),
      file: createGrowingArray(Uint32Array),
      /** Two for each: in the directory, and in the file's name. */
      impact: createGrowingArray(Uint8Array),
    },
  }
}

/** The bytes of each term; a payload is valid until the next one. */
function* payloadsOf(
  sorted: readonly string[],
  terms: TermCounts,
  { inText, inPaths }: Postings,
): ReturnType<SegmentContent['terms']> {
  const text = sortByTerm(inText.term.view(), terms.numbers.size)
  const paths = sortByTerm(inPaths.term.view(), terms.numbers.size)
  const pathFile = inPaths.file.values
  const pathImpact = inPaths.impact.values
  const out = createByteWriter(1 << 16)
  for (const term of sorted) {
    const number = terms.numbers.get(term)!
    const [from, to] = [text.starts[number]!, text.starts[number + 1]!]
    const [pathFrom, pathTo] = [paths.starts[number]!, paths.starts[number + 1]!]
    out.clear()
    writeCounts(out, { chunks: to - from, files: terms.filesWith(number), paths: pathTo - pathFrom })
    out.gaps(text.order, from, to, inText.chunk.values, inText.impact.values)
    let previous = 0
    for (let position = pathFrom; position < pathTo; position++) {
      const index = paths.order[position]!
      out.varint(pathFile[index]! - previous)
      out.byte(pathImpact[index * 2]!)
      out.byte(pathImpact[index * 2 + 1]!)
      previous = pathFile[index]!
    }
    yield { term, payload: out.view() }
  }
}

/** The words of a file's name, with hyphenated neighbors also joined: `rate-limit.ts` is also `ratelimit`. */
function fileNameWords(name: string): string[] {
  const pieces = name.split(/[-. ]+/).filter(piece => piece !== '')
  const joined = pieces.slice(0, -2).map((piece, index) => `${piece}${pieces[index + 1]!}`.toLowerCase())
  return [...wordsOfText(name), ...joined]
}

function countWords(words: readonly string[]): { counts: Map<string, number>; length: number } {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return { counts, length: words.length }
}

/** Indexes of postings grouped by term, in order within a term: a counting sort. */
function sortByTerm(postedTerm: Uint32Array, termCount: number): { starts: Uint32Array; order: Uint32Array } {
  const starts = new Uint32Array(termCount + 1)
  for (const term of postedTerm) starts[term + 1]!++
  for (let term = 0; term < termCount; term++) starts[term + 1]! += starts[term]!
  const next = starts.slice()
  const order = new Uint32Array(postedTerm.length)
  for (let index = 0; index < postedTerm.length; index++) order[next[postedTerm[index]!]!++] = index
  return { starts, order }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
