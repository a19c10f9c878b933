import { crc32 } from 'node:zlib'
import { createTextColumn, type ChunkColumns, type ChunkPlace } from './chunk-columns.ts'
import { createGrowingArray } from './growing.ts'
import { languages, unknownLanguage, type Language } from './languages.ts'
import { createTermFile, openTermFile, textAt, type TermFile } from './term-file.ts'

/** One file as of its indexing. */
export interface IndexedFile {
  /** Absolute, with forward slashes. */
  path: string
  /** Length of the root's path with its slash: the rest is the path that is displayed and searched. */
  rootLength: number
  sizeBytes: number
  modifiedMs: number
  /** First eight bytes of the content's SHA-1, hexadecimal. */
  hash: string
  /** Whether chunk offsets are in bytes, so that a chunk can be read alone; not in two-byte encodings. */
  inPlace: boolean
  /** By its name, or by its first line where the name is not enough. */
  language: Language
}

export interface SegmentContent {
  files: readonly IndexedFile[]
  /** By file, its first chunk; one extra entry marks the end. */
  firstChunks: Uint32Array
  chunks: ChunkColumns
  /** Terms that name something, sorted: the candidates for correcting a misspelled identifier. */
  symbols: Iterable<string>
  terms(): Iterable<{ term: string; payload: Uint8Array }>
}

/** An immutable part of the index: some files, their chunks, and the postings of their terms. */
export interface Segment {
  readonly name: string
  readonly fileCount: number
  readonly chunkCount: number
  readonly sizeBytes: number
  /** By file, its first chunk; one extra entry marks the end. */
  readonly firstChunks: Uint32Array
  /** By chunk, its file. */
  fileOf(): Uint32Array
  /** By file: its query-independent properties; see `traits`. */
  readonly traits: Uint8Array
  /** By file: a checksum of its path. */
  readonly pathChecksums: Uint32Array
  pathOf(file: number): string
  file(file: number): IndexedFile
  chunk(chunk: number): ChunkPlace
  /** Loads what `chunk` and `file` read, so that they may be called after `close`. */
  load(): void
  /** The same for a scan over all chunks, without caching. */
  chunkReader(): (chunk: number) => ChunkPlace
  /** Letters of each naming term as a bit set, for a quick rejection; see `typo.ts`. */
  symbolLetters(): Uint32Array
  symbolReader(): (symbol: number) => string
  find(term: string): Uint8Array | undefined
  entries: TermFile['entries']
  preload: TermFile['preload']
  isIntact(): boolean
  close(): void
}

/** Bits of `Segment.traits`. */
export const traits = { test: 1, prose: 2, data: 4, inPlace: 8 } as const

export function writeSegment(file: string, content: SegmentContent): void {
  const out = createTermFile(file)
  try {
    for (const { term, payload } of content.terms()) out.add(term, payload)
  } catch (cause) {
    out.abandon()
    throw cause
  }
  const { files } = content
  const paths = createTextColumn()
  for (const { path } of files) paths.push(path)
  const symbols = createTextColumn()
  const letters = createGrowingArray(Uint32Array)
  for (const symbol of content.symbols) {
    symbols.push(symbol)
    letters.push(lettersOf(symbol))
  }
  out.finish({
    'file.path': paths.bytes(),
    'file.pathEnd': paths.ends(),
    'file.rootLength': Uint32Array.from(files, each => each.rootLength),
    'file.size': Float64Array.from(files, each => each.sizeBytes),
    'file.modified': Float64Array.from(files, each => each.modifiedMs),
    'file.hash': Buffer.from(files.map(each => each.hash).join(''), 'hex'),
    'file.language': Uint8Array.from(files, each => languages.indexOf(each.language)),
    'file.traits': Uint8Array.from(files, traitsOf),
    'file.pathChecksum': Uint32Array.from(files, each => crc32(each.path)),
    'file.firstChunk': content.firstChunks,
    ...content.chunks.arrays(),
    'symbol.text': symbols.bytes(),
    'symbol.end': symbols.ends(),
    'symbol.letters': letters.view(),
  })
}

/** @throws {DamagedFile} when the file is unusable. */
export function openSegment(file: string, name: string): Segment {
  const inner = openTermFile(file)
  try {
    return readSegment(inner, name)
  } catch (cause) {
    inner.close()
    throw cause
  }
}

function readSegment(inner: TermFile, name: string): Segment {
  const firstChunks = inner.array('file.firstChunk', 'u32')
  const sizes = inner.array('file.size', 'f64')
  const modified = inner.array('file.modified', 'f64')
  const rootLengths = inner.array('file.rootLength', 'u32')
  const fileTraits = inner.array('file.traits', 'u8')
  const fileLanguages = inner.array('file.language', 'u8')
  const hashes = Buffer.from(inner.array('file.hash', 'u8'))
  const pathOf = textAt(inner, 'file.path', 'file.pathEnd')
  const chunkCount = firstChunks[firstChunks.length - 1] ?? 0
  const chunkReader = () => readChunks(inner)
  // Loaded on first use: the writer rarely needs any of these.
  const chunk = once(chunkReader)
  const letters = once(() => inner.array('symbol.letters', 'u32'))
  const symbols = once(() => textAt(inner, 'symbol.text', 'symbol.end'))
  const fileOf = once(() => filesOfChunks(firstChunks, chunkCount))
  return {
    name,
    fileCount: sizes.length,
    chunkCount,
    sizeBytes: inner.sizeBytes,
    firstChunks,
    fileOf,
    traits: fileTraits,
    pathChecksums: inner.array('file.pathChecksum', 'u32'),
    pathOf,
    file: file => ({
      path: pathOf(file),
      rootLength: rootLengths[file]!,
      sizeBytes: sizes[file]!,
      modifiedMs: modified[file]!,
      hash: hashes.toString('hex', file * 8, file * 8 + 8),
      inPlace: (fileTraits[file]! & traits.inPlace) !== 0,
      language: languages[fileLanguages[file]!] ?? unknownLanguage,
    }),
    chunk: index => chunk()(index),
    load: () => void chunk(),
    chunkReader,
    symbolLetters: letters,
    symbolReader: symbols,
    find: term => inner.find(term),
    entries: () => inner.entries(),
    preload: () => inner.preload(),
    isIntact: () => inner.isIntact(),
    close: () => inner.close(),
  }
}

function readChunks(inner: TermFile): (chunk: number) => ChunkPlace {
  const first = inner.array('chunk.first', 'u32')
  const last = inner.array('chunk.last', 'u32')
  const start = inner.array('chunk.start', 'u32')
  const symbolOf = textAt(inner, 'chunk.symbol', 'chunk.symbolEnd')
  return chunk => ({ first: first[chunk]!, last: last[chunk]!, start: start[chunk]!, symbol: symbolOf(chunk) })
}

function filesOfChunks(firstChunks: Uint32Array, chunkCount: number): Uint32Array {
  const files = new Uint32Array(chunkCount)
  for (let file = 0; file + 1 < firstChunks.length; file++) files.fill(file, firstChunks[file], firstChunks[file + 1])
  return files
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** Bits 0 to 25 for letters, 26 for any digit, 27 to 31 for the length: two words one edit apart differ in few. */
export function lettersOf(word: string): number {
  let letters = 0
  for (let index = 0; index < word.length; index++) {
    const code = word.charCodeAt(index)
    if (code >= 97 && code <= 122) letters |= 1 << (code - 97)
    else if (code >= 48 && code <= 57) letters |= 1 << 26
  }
  return (letters | (Math.min(31, word.length) << 27)) >>> 0
}

const testPath =
  /(?:^|\/)(?:tests?|testing|__tests__|specs?|testdata|fixtures|features|e2e|e2e_tests)\/|(?:^|\/)(?:test_[^/]*|[^/]*[._-](?:test|tests|spec|e2e-spec|bench)\.[^/]*|[^/]*Tests?\.(?:java|kt|cs|swift|scala|php)|conftest\.py)$/

function traitsOf({ path, rootLength, inPlace, language: { kind } }: IndexedFile): number {
  const test = testPath.test(path.slice(rootLength)) ? traits.test : 0
  return test | (inPlace ? traits.inPlace : 0) | (kind === 'prose' ? traits.prose : kind === 'data' ? traits.data : 0)
}
