import { decode } from './decode.ts'
import type { Ranked } from './rank.ts'
import type { MatchField, SearchHit } from './requests.ts'
import type { ChunkPlace } from './chunk-columns.ts'
import type { IndexedFile } from './segment-file.ts'
import { readFile } from './source-file.ts'
import { wordsOfText } from './words.ts'

/** A hit whose file is no longer what was indexed. */
export interface StaleHit {
  stale: string
}

/** What is wanted around the lines of a chunk. */
export interface Showing {
  /** What to look for, and how people wrote it. */
  terms: ReadonlyMap<string, string>
  phrases: readonly string[]
  contextLines: number
}

/**
 * Reads the lines of a ranked file. Undefined when a phrase of the query is not in it; stale when it has changed since
 * it was indexed.
 */
export function showHit(ranked: Ranked, showing: Showing): SearchHit | StaleHit | undefined {
  const indexed = ranked.segment.file(ranked.file)
  const text = readAsIndexed(indexed)
  if (text === undefined) return { stale: indexed.path }
  let chunk = chunkOf(ranked)
  if (showing.phrases.length > 0) {
    const place = placeOfPhrases(text, showing.phrases)
    if (place === undefined) return undefined
    chunk = chunkAt(ranked, text, place)
  }
  const relative = indexed.path.slice(indexed.rootLength)
  const end = endOfLines(text, chunk.start, chunk.last - chunk.first + 1)
  const before = startOfLines(text, chunk.start, showing.contextLines)
  const after = endOfLines(text, end, showing.contextLines)
  const lines = text.slice(before.offset, after).replace(/\r?\n$/, '')
  return {
    path: relative,
    root: indexed.path.slice(0, Math.max(1, indexed.rootLength - 1)),
    language: indexed.language.name,
    start_line: chunk.first - before.lines + 1,
    end_line: chunk.first - before.lines + lines.split('\n').length,
    symbol: chunk.symbol,
    lines,
    score: Math.round(ranked.score * 1000) / 1000,
    why: whyOf(relative, chunk.symbol, text.slice(chunk.start, end), showing.terms),
  }
}

/** Shortens a hit to its most telling stretch of lines that fits; undefined when not even a few do. */
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
  let text = lines[from]!
  if (countTokens(text) > maxTokens) return undefined
  for (;;) {
    const up = from > 0 ? (worth[from - 1] ?? 0) : -1
    const down = to + 1 < lines.length ? (worth[to + 1] ?? 0) : -1
    if (up < 0 && down < 0) break
    const [nextFrom, nextTo] = up > down ? [from - 1, to] : down >= 0 ? [from, to + 1] : [from - 1, to]
    const longer = lines.slice(nextFrom, nextTo + 1).join('\n')
    if (countTokens(longer) > maxTokens) break
    ;[from, to, text] = [nextFrom, nextTo, longer]
  }
  return { ...hit, start_line: hit.start_line + from, end_line: hit.start_line + to, lines: text }
}

/**
 * Synchronous on purpose: the handful of files of a page are in the page cache, where ten reads take 0.2 ms; through
 * the thread pool they take 1.4 ms.
 */
function readAsIndexed({ path, sizeBytes, modifiedMs }: IndexedFile): string | undefined {
  const read = readFile(path, sizeBytes)
  if (!('bytes' in read) || read.sizeBytes !== sizeBytes || read.modifiedMs !== modifiedMs) return undefined
  const decoded = decode(read.bytes)
  return 'text' in decoded ? decoded.text : undefined
}

// A file without a word has no chunk, but may be found by its name.
const wholeFile: ChunkPlace = { first: 0, last: 0, start: 0, symbol: '' }

function chunkOf({ segment, file, chunk }: Ranked): ChunkPlace {
  return segment.firstChunks[file]! < segment.firstChunks[file + 1]! ? segment.chunk(chunk) : wholeFile
}

/** The chunk that holds an offset of the text. */
function chunkAt({ segment, file }: Ranked, text: string, offset: number): ChunkPlace {
  let found = wholeFile
  for (let chunk = segment.firstChunks[file]!; chunk < segment.firstChunks[file + 1]!; chunk++) {
    const place = segment.chunk(chunk)
    if (place.start > offset) break
    found = place
  }
  return endOfLines(text, found.start, found.last - found.first + 1) > offset ? found : wholeFile
}

/** The offset of the first phrase, if the text has them all; white space in a phrase stands for any. */
function placeOfPhrases(text: string, phrases: readonly string[]): number | undefined {
  const places = phrases.map(phrase => {
    const words = phrase.split(/\s+/).map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return text.search(new RegExp(words.join('\\s+'), 'i'))
  })
  return places.includes(-1) ? undefined : places[0]
}

/** The offset after so many lines from an offset. */
function endOfLines(text: string, from: number, count: number): number {
  let at = from
  for (let line = 0; line < count && at < text.length; line++) {
    const newline = text.indexOf('\n', at)
    at = newline < 0 ? text.length : newline + 1
  }
  return at
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

function whyOf(relative: string, symbol: string, text: string, terms: ReadonlyMap<string, string>): SearchHit['why'] {
  const slash = relative.lastIndexOf('/') + 1
  const places: [MatchField, string][] = [
    ['symbol', symbol],
    ['file_name', relative.slice(slash)],
    ['directory', relative.slice(0, slash)],
    ['text', text],
  ]
  return places.flatMap(([field, words]) => {
    const found = [...new Set(wordsOfText(words).flatMap(word => terms.get(word) ?? []))]
    return found.length > 0 ? [{ field, terms: found }] : []
  })
}
