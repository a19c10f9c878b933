import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import MiniSearch from 'minisearch'
import { chunksOf } from '../../../src/search/chunk.ts'
import { languageOf } from '../../../src/search/languages.ts'
import { linesOf, outlineOf } from '../../../src/search/outline.ts'
import { parseQuery } from '../../../src/search/query.ts'
import { identifierPattern, wordsOfText } from '../../../src/search/words.ts'

/** A file as input of every baseline. */
export interface SourceText {
  /** Relative to the repository. */
  path: string
  text: string
}

/** A search engine to compare with: files in, ranked paths out. */
export interface Baseline {
  name: string
  /** Returns functions to search and to release the memory. */
  index(
    files: readonly SourceText[],
    folder: string,
  ): { ask: (query: string) => string[] | Promise<string[]>; close: () => void }
}

const depth = 10
const decay = 0.35

/** BM25 over whole files and lower-case words: plain text search. */
export const plainBm25: Baseline = {
  name: 'bm25',
  index(files) {
    const k1 = 1.5
    const b = 0.75
    const postings = new Map<string, Map<number, number>>()
    const lengths = files.map(({ path, text }, file) => {
      const words = plainWords(`${path} ${text}`)
      for (const word of words) {
        const having = postings.get(word) ?? new Map<number, number>()
        postings.set(word, having.set(file, (having.get(file) ?? 0) + 1))
      }
      return words.length
    })
    const usual = lengths.reduce((sum, length) => sum + length, 0) / files.length
    const ask = (query: string) => {
      const scores = new Map<number, number>()
      for (const word of new Set(plainWords(query))) {
        const having = postings.get(word) ?? new Map<number, number>()
        const idf = Math.log(1 + (files.length - having.size + 0.5) / (having.size + 0.5))
        for (const [file, times] of having) {
          const gain = (idf * times * (k1 + 1)) / (times + k1 * (1 - b + (b * lengths[file]!) / usual))
          scores.set(file, (scores.get(file) ?? 0) + gain)
        }
      }
      return topPaths([...scores].map(([file, score]) => ({ path: files[file]!.path, score })))
    }
    return { ask, close: () => postings.clear() }
  },
}

/** SQLite's full-text search with this project's tokenizer, chunks and fields; files are ranked by their best chunks. */
export const fts5: Baseline = {
  name: 'fts5',
  index(files) {
    const database = new Database(':memory:')
    database.exec(
      `CREATE VIRTUAL TABLE chunks USING fts5(path UNINDEXED, directory, name, symbols, body, tokenize = 'unicode61')`,
    )
    const insert = database.prepare('INSERT INTO chunks VALUES (?, ?, ?, ?, ?)')
    const tokens = (text: string) => wordsOfText(text).join(' ')
    database.transaction(() => {
      for (const { path: file, text } of files) {
        const lines = linesOf(text)
        const chunks = chunksOf(lines, outlineOf(text, lines, languageOf(file, text.slice(0, 80))), 40)
        for (const { first, last, names } of chunks) {
          const body = text.slice(lines.starts[first], lines.starts[last + 1])
          insert.run(
            file,
            tokens(path.dirname(file)),
            tokens(path.basename(file)),
            tokens(names.join(' ')),
            tokens(body),
          )
        }
      }
    })()
    const select = database.prepare<[string], { path: string; score: number }>(
      'SELECT path, -bm25(chunks, 0, 2, 4, 4, 1) AS score FROM chunks WHERE chunks MATCH ? ORDER BY score DESC LIMIT 400',
    )
    const ask = (query: string) => {
      const { terms, joined } = parseQuery(query)
      const match = [...terms, ...joined].map(term => `"${term}"`).join(' OR ')
      return match === '' ? [] : topPaths(sumDecayed(select.all(match)))
    }
    return { ask, close: () => database.close() }
  },
}

/** MiniSearch as in its documentation: whole files, its own tokenizer and BM25+. */
export const miniSearch: Baseline = {
  name: 'minisearch',
  index(files) {
    const engine = new MiniSearch<SourceText>({ idField: 'path', fields: ['path', 'text'], storeFields: [] })
    engine.addAll(files)
    const ask = (query: string) =>
      engine
        .search(query)
        .slice(0, depth)
        .map(({ id }) => String(id))
    return { ask, close: () => engine.removeAll() }
  },
}

/** The files in which ripgrep finds any word of the query, in its order: what an agent sees with grep. */
export const ripgrep: Baseline = {
  name: 'ripgrep',
  index(_, folder) {
    const ask = async (query: string) => {
      const words = plainWords(query).flatMap(word => ['-e', word])
      if (words.length === 0) return []
      const { stdout } = await run('rg', ['-l', '-i', '-F', '--sort', 'path', ...words, '.'], folder)
      return stdout
        .split('\n')
        .slice(0, depth)
        .map(file => file.replace(/^\.\//, ''))
    }
    return { ask, close: () => undefined }
  },
}

/** Whether ripgrep is installed. */
export async function hasRipgrep(): Promise<boolean> {
  return (await run('rg', ['--version'], '.')).stdout !== ''
}

/** Exit code 1 means no match; output beyond the first megabyte is not needed. */
async function run(program: string, args: readonly string[], folder: string): Promise<{ stdout: string }> {
  try {
    return await promisify(execFile)(program, args, { cwd: folder, maxBuffer: 1 << 26 })
  } catch {
    return { stdout: '' }
  }
}

function plainWords(text: string): string[] {
  return (text.match(identifierPattern) ?? []).map(word => word.toLowerCase())
}

function sumDecayed(chunks: readonly { path: string; score: number }[]): { path: string; score: number }[] {
  const files = new Map<string, { score: number; share: number }>()
  for (const { path, score } of chunks) {
    const known = files.get(path) ?? { score: 0, share: 1 }
    files.set(path, { score: known.score + score * known.share, share: known.share * decay })
  }
  return [...files].map(([path, { score }]) => ({ path, score }))
}

function topPaths(scored: readonly { path: string; score: number }[]): string[] {
  return scored
    .toSorted((a, b) => b.score - a.score)
    .slice(0, depth)
    .map(({ path }) => path)
}
