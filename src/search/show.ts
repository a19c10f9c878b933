import { readFile, stat } from 'node:fs/promises'
import { decode } from './decode.ts'
import { languageOf } from './languages.ts'
import type { Ranked } from './rank.ts'
import type { MatchField, SearchHit } from './requests.ts'
import { wordsOfText } from './words.ts'

/** A hit whose file is no longer what was indexed. */
export interface StaleHit {
  stale: string
}

/** What is wanted around the lines of a chunk. */
export interface Showing {
  terms: ReadonlySet<string>
  phrases: readonly string[]
  contextLines: number
}

/**
 * Reads the lines of a ranked file. Undefined when a phrase of the query is not in it; stale when it has changed since
 * it was indexed.
 */
export async function showHit(ranked: Ranked, showing: Showing): Promise<SearchHit | StaleHit | undefined> {
  const indexed = ranked.segment.file(ranked.file)
  const text = await readUnchanged(indexed.path, indexed.sizeBytes, indexed.modifiedMs)
  if (text === undefined) return { stale: indexed.path }
  const lines = text.split('\n')
  let { first, last, symbol } = ranked.segment.chunkCount > 0 ? chunkOf(ranked) : { first: 0, last: 0, symbol: '' }
  if (showing.phrases.length > 0) {
    const place = placeOfPhrases(text, showing.phrases)
    if (place === undefined) return undefined
    if (place < first || place > last) ({ first, last, symbol } = chunkAround(ranked, place))
  }
  const relative = indexed.path.slice(indexed.rootLength)
  const why = whyOf(relative, symbol, lines.slice(first, last + 1).join('\n'), showing.terms)
  const from = Math.max(0, first - showing.contextLines)
  const to = Math.min(lines.length - 1, last + showing.contextLines)
  return {
    path: relative,
    root: indexed.path.slice(0, Math.max(1, indexed.rootLength - 1)),
    language: languageOf(relative, lines[0]).name,
    start_line: from + 1,
    end_line: to + 1,
    symbol,
    lines: lines.slice(from, to + 1).join('\n'),
    score: Math.round(ranked.score * 1000) / 1000,
    why,
  }
}

/** Shortens a hit to its most telling stretch of lines that fits; undefined when not even a few do. */
export function shorten(
  hit: SearchHit,
  maxTokens: number,
  terms: ReadonlySet<string>,
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

async function readUnchanged(file: string, sizeBytes: number, modifiedMs: number): Promise<string | undefined> {
  try {
    const stats = await stat(file)
    if (stats.size !== sizeBytes || stats.mtimeMs !== modifiedMs) return undefined
    const decoded = decode(await readFile(file))
    return 'text' in decoded ? decoded.text : undefined
  } catch {
    return undefined
  }
}

function chunkOf(ranked: Ranked) {
  const { segment, file, chunk } = ranked
  // A file without a word has no chunk, but may be found by its name.
  const has = segment.firstChunks[file]! < segment.firstChunks[file + 1]!
  return has ? segment.chunk(chunk) : { first: 0, last: 0, symbol: '' }
}

function chunkAround({ segment, file }: Ranked, line: number) {
  for (let chunk = segment.firstChunks[file]!; chunk < segment.firstChunks[file + 1]!; chunk++) {
    const found = segment.chunk(chunk)
    if (found.last >= line) return found.first <= line ? found : { first: line, last: line, symbol: '' }
  }
  return { first: line, last: line, symbol: '' }
}

/** The line of the last-named phrase, if the text has them all; white space in a phrase stands for any. */
function placeOfPhrases(text: string, phrases: readonly string[]): number | undefined {
  let place: number | undefined
  for (const phrase of phrases) {
    const pattern = phrase
      .split(/\s+/)
      .map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+')
    const at = text.search(new RegExp(pattern, 'i'))
    if (at < 0) return undefined
    place = text.slice(0, at).split('\n').length - 1
  }
  return place
}

function whyOf(relative: string, symbol: string, text: string, terms: ReadonlySet<string>): SearchHit['why'] {
  const slash = relative.lastIndexOf('/') + 1
  const places: [MatchField, string][] = [
    ['symbol', symbol],
    ['file_name', relative.slice(slash)],
    ['directory', relative.slice(0, slash)],
    ['text', text],
  ]
  return places.flatMap(([field, words]) => {
    const found = [...new Set(wordsOfText(words))].filter(word => terms.has(word))
    return found.length > 0 ? [{ field, terms: found }] : []
  })
}
