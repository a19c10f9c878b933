import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { hashText } from '../../src/router/chance.ts'

/** The outcome of one model on one prompt. */
export interface LabelledOutcome {
  /** 0..1 */
  score: number
  /** USD */
  cost?: number
  tokens?: number
  latency_ms?: number
}

/** One prompt with the outcomes of every model of its table. */
export interface OutcomeRow {
  id: string
  prompt?: string
  category?: string
  group?: string
  outcomes: Record<string, LabelledOutcome>
}

/** The rows of `<folder>/<name>.jsonl.gz`; undefined when there is no such file. */
export function readOutcomes(folder: string, name: string): OutcomeRow[] | undefined {
  const file = path.join(folder, `${name}.jsonl.gz`)
  if (!existsSync(file)) return undefined
  const lines = gunzipSync(readFileSync(file)).toString('utf8').split('\n')
  return lines.filter(Boolean).map(line => JSON.parse(line) as OutcomeRow)
}

/** Lower-case words separated by single spaces: prompts that are equal in this form count as the same. */
export function normalize(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/**
 * A number for each row, equal for near-duplicates: rows whose sets of word triples have a Jaccard similarity of about 0.8
 * or more (found by min-hashing in 16 bands of 8). Rows without text are distinguished by id.
 */
export function duplicateKeys(rows: readonly OutcomeRow[]): number[] {
  const parent = rows.map((_, row) => row)
  const root = (row: number): number => {
    let index = row
    while (parent[index] !== index) index = parent[index] = parent[parent[index]!]!
    return index
  }
  const seen = new Map<string, number>()
  for (const [row, { id, prompt }] of rows.entries()) {
    for (const band of prompt === undefined ? [`id ${id}`] : bandsOf(normalize(prompt))) {
      const twin = seen.get(band)
      if (twin === undefined) seen.set(band, row)
      else parent[Math.max(root(row), root(twin))] = Math.min(root(row), root(twin))
    }
  }
  return rows.map((_, row) => {
    const first = rows[root(row)]!
    return hashText(first.prompt === undefined ? first.id : normalize(first.prompt))
  })
}

const bands = 16
const rowsPerBand = 8

function bandsOf(text: string): string[] {
  const words = text.split(' ').map(word => hashText(word))
  const least = new Uint32Array(bands * rowsPerBand).fill(0xffffffff)
  for (let index = 0; index < Math.max(1, words.length - 2); index++) {
    const triple =
      Math.imul(words[index]!, 3) ^ Math.imul(words[index + 1] ?? 1, 5) ^ Math.imul(words[index + 2] ?? 1, 7)
    for (let hash = 0; hash < least.length; hash++) {
      const mixed = Math.imul(triple ^ (triple >>> 15), 0x2c1b3c6d + 2 * Math.imul(hash, 0x9e3779b1)) >>> 0
      const value = (mixed ^ (mixed >>> 13)) >>> 0
      if (value < least[hash]!) least[hash] = value
    }
  }
  return Array.from({ length: bands }, (_, band) =>
    [band, ...least.subarray(band * rowsPerBand, (band + 1) * rowsPerBand)].join(' '),
  )
}
