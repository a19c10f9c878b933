import { decode, decodeLines } from './decode.ts'
import type { Ranked } from './best-files.ts'
import type { MatchField, SearchHit } from './requests.ts'
import type { ChunkPlace } from './chunk-columns.ts'
import type { IndexedFile } from './segment-file.ts'
import { readFile } from './source-file.ts'
import { isWordCharacter } from './scan.ts'
import { indexOfPhrase } from './phrase.ts'
import { isSecretPath } from './secret-names.ts'
import { withoutSecrets } from './secrets.ts'
import { wordsOf, wordsOfText } from './words.ts'

/** A hit whose file has changed since it was indexed. */
export interface StaleHit {
  stale: string
}

/** What to show around the lines of a chunk. */
export interface Showing {
  /** The terms, and the words as typed. */
  terms: ReadonlyMap<string, string>
  /** A pattern of the same terms, by `patternOf`. */
  pattern: RegExp
  phrases: readonly string[]
  contextLines: number
}

/**
 * Reads the lines of a ranked file, without credentials. Undefined when it does not contain a phrase of the query or an
 * older version indexed what is now left out; stale when it has changed since it was indexed.
 */
export function showHit(ranked: Ranked, showing: Showing): SearchHit | StaleHit | undefined {
  const indexed = ranked.segment.file(ranked.file)
  if (isSecretPath(indexed.path)) return undefined
  const inPlace = chunkOf(ranked)
  const whole = showing.phrases.length > 0 || showing.contextLines > 0
  const read = whole ? readWhole(indexed) : readChunk(ranked, indexed, inPlace)
  if (read === undefined) return { stale: indexed.path }
  if (showing.phrases.length > 0 && placeOfPhrases(read, showing.phrases) === undefined) return undefined
  const text = withoutSecrets(read, indexed.language)
  if (text === undefined) return undefined
  let chunk = { ...inPlace, start: whole ? endOfLines(text, 0, inPlace.first) : 0 }
  if (showing.phrases.length > 0) {
    const place = placeOfPhrases(text, showing.phrases)
    if (place === undefined) return undefined
    chunk = chunkAt(ranked, text, place)
  }
  const relative = indexed.path.slice(indexed.rootLength)
  const end = endOfLines(text, chunk.start, chunk.last - chunk.first + 1)
  const before = startOfLines(text, chunk.start, showing.contextLines)
  const after = endOfLines(text, end, showing.contextLines)
  const lines = withoutLongLines(text.slice(before.offset, after).replace(/\r?\n$/, ''))
  return {
    path: relative,
    root: indexed.path.slice(0, Math.max(1, indexed.rootLength - 1)),
    language: indexed.language.name,
    start_line: chunk.first - before.lines + 1,
    end_line: chunk.first - before.lines + lines.split('\n').length,
    symbol: chunk.symbol,
    lines,
    score: Math.round(ranked.score * 1000) / 1000,
    why: whyOf(relative, chunk.symbol, text.slice(chunk.start, end), showing),
  }
}

/** Characters shown of one line. Longer ones are data, which would fill an agent's context. */
const maxLineChars = 2_000

function withoutLongLines(lines: string): string {
  if (lines.length <= maxLineChars) return lines
  return lines
    .split('\n')
    .map(line => (line.length > maxLineChars ? `${line.slice(0, maxLineChars)}…` : line))
    .join('\n')
}

/** Shortens a hit to its most relevant lines that fit; undefined when not even a few do. */
export function shorten(
  hit: SearchHit,
  maxTokens: number,
  terms: ReadonlyMap<string, string>,
  countTokens: (text: string) => number,
): SearchHit | undefined {
  const lines = hit.lines.split('\n')
  const worth = lines.map(line => new Set(wordsOfText(line).filter(word => terms.has(word))).size)
  let from = worth.indexOf(Math.max(...worth))
  let to = from
  // Lines are counted one by one: counting the text anew for each further line takes many times as long.
  const costOf = (line: number) => countTokens(`${lines[line]!}\n`)
  let left = maxTokens - costOf(from)
  if (left < 0) return undefined
  for (;;) {
    const up = from > 0 ? (worth[from - 1] ?? 0) : -1
    const down = to + 1 < lines.length ? (worth[to + 1] ?? 0) : -1
    if (up < 0 && down < 0) break
    left -= costOf(up > down ? from - 1 : to + 1)
    if (left < 0) break
    if (up > down) from--
    else to++
  }
  return {
    ...hit,
    start_line: hit.start_line + from,
    end_line: hit.start_line + to,
    lines: lines.slice(from, to + 1).join('\n'),
  }
}

function readWhole(indexed: IndexedFile): string | undefined {
  const bytes = readAsIndexed(indexed, 0, Infinity)
  const decoded = bytes && decode(bytes)
  return decoded !== undefined && 'text' in decoded ? decoded.text : undefined
}

/** Reads and decodes only a chunk, where its position in the file is known. */
function readChunk(ranked: Ranked, indexed: IndexedFile, { first, start }: ChunkPlace): string | undefined {
  if (indexed.inPlace) {
    const bytes = readAsIndexed(indexed, start, endOfChunk(ranked))
    return bytes && decodeLines(bytes)
  }
  const text = readWhole(indexed)
  return text?.slice(endOfLines(text, 0, first))
}

/**
 * Synchronous on purpose: the handful of files of a page are in the page cache, where ten reads take 0.2 ms; through
 * the thread pool they take 1.4 ms.
 */
function readAsIndexed({ path, sizeBytes, modifiedMs }: IndexedFile, from: number, to: number): Buffer | undefined {
  const read = readFile(path, { maxBytes: sizeBytes, from, to })
  return 'bytes' in read && read.sizeBytes === sizeBytes && read.modifiedMs === modifiedMs ? read.bytes : undefined
}

/** Where the next chunk of its file starts. */
function endOfChunk({ segment, file, chunk }: Ranked): number {
  return chunk + 1 < segment.firstChunks[file + 1]! ? segment.chunk(chunk + 1).start : Infinity
}

// A file without words has no chunk, but may be found by its name.
const wholeFile: ChunkPlace = { first: 0, last: 0, start: 0, symbol: '' }

function chunkOf({ segment, file, chunk }: Ranked): ChunkPlace {
  return segment.firstChunks[file]! < segment.firstChunks[file + 1]! ? segment.chunk(chunk) : wholeFile
}

/** The chunk at an offset of the whole text. */
function chunkAt({ segment, file }: Ranked, text: string, offset: number): ChunkPlace {
  const line = text.slice(0, offset).split('\n').length - 1
  for (let chunk = segment.firstChunks[file]!; chunk < segment.firstChunks[file + 1]!; chunk++) {
    const place = segment.chunk(chunk)
    if (place.first <= line && line <= place.last) return { ...place, start: endOfLines(text, 0, place.first) }
  }
  return wholeFile
}

/** The offset of the first phrase, if the text contains them all. */
function placeOfPhrases(text: string, phrases: readonly string[]): number | undefined {
  const lower = lowerCase(text)
  const places = phrases.map(phrase => indexOfPhrase(lower, phrase))
  return places.includes(-1) ? undefined : places[0]
}

/** In lower case, with the same positions: lower-casing changes the length of some letters, and then the text stays as it is. */
function lowerCase(text: string): string {
  const lower = text.toLowerCase()
  return lower.length === text.length ? lower : text
}

/** The offset this many lines after an offset. */
function endOfLines(text: string, from: number, count: number): number {
  let position = from
  for (let line = 0; line < count && position < text.length; line++) {
    const newline = text.indexOf('\n', position)
    position = newline < 0 ? text.length : newline + 1
  }
  return position
}

function startOfLines(text: string, from: number, count: number): { offset: number; lines: number } {
  let offset = from
  let lines = 0
  while (lines < count && offset > 0) {
    offset = text.lastIndexOf('\n', offset - 2) + 1
    lines++
  }
  return { offset, lines }
}

function whyOf(relative: string, symbol: string, text: string, { terms, pattern }: Showing): SearchHit['why'] {
  const slash = relative.lastIndexOf('/') + 1
  const places: [MatchField, string][] = [
    ['symbol', symbol],
    ['file_name', relative.slice(slash)],
    ['directory', relative.slice(0, slash)],
    ['text', text],
  ]
  return places.flatMap(([field, words]) => {
    const found = new Set<string>()
    for (const identifier of identifiersWith(pattern, words)) {
      for (const word of wordsOf(identifier)) if (terms.has(word)) found.add(terms.get(word)!)
    }
    return found.size > 0 ? [{ field, terms: [...found] }] : []
  })
}

/**
 * Matches the terms anywhere in lower-case text: then only a few identifiers are split, not a whole text. A
 * case-insensitive pattern takes twice as long.
 */
export function patternOf(terms: Iterable<string>): RegExp {
  return new RegExp([...terms].map(term => term.replace(/[$]/g, '\\$&')).join('|'), 'g')
}

/** The identifiers around each match, each once. */
function identifiersWith(pattern: RegExp, text: string): Set<string> {
  const identifiers = new Set<string>()
  const lower = text.toLowerCase()
  // Lower-casing changes the length of some letters, and then positions do not match.
  const searched = lower.length === text.length ? lower : text
  pattern.lastIndex = 0
  while (pattern.test(searched)) {
    let start = pattern.lastIndex
    while (start > 0 && isWordCharacter(text.charCodeAt(start - 1))) start--
    let end = pattern.lastIndex
    while (isWordCharacter(text.charCodeAt(end))) end++
    identifiers.add(text.slice(start, end))
    pattern.lastIndex = end + 1
  }
  return identifiers
}
