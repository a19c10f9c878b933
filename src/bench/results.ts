import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'
import type { Price } from '../accounting/pricing.ts'
import type { Difficulty, Suite } from './suites/suite.ts'

/** How a model is asked: part of what a result is a result of. */
export interface ModelSettings {
  temperature?: number
  seed?: number
  /** A prompting strategy's name and the system text it puts before each task; the default has neither. */
  strategy?: string
  system?: string
}

/** A model to be measured, as exactly as its server tells. */
export interface BenchmarkCandidate {
  provider: string
  model: string
  /** What the weights are; when it changes, older results speak of another model. */
  digest?: string
  quantization?: string
  contextTokens?: number
  /** Whether asking it costs money. */
  paid: boolean
  /** USD per million tokens, for when the reply does not tell its cost. */
  price?: Price
  settings?: ModelSettings
  /** In memory before the first item; false means that its first answer waits for the loading. */
  loaded?: boolean
  /** What its weights take, where its server tells. */
  memoryBytes?: number
}

/** One item: one task put once to one model. */
export interface BenchmarkResult {
  run: string
  provider: string
  model: string
  digest: string | null
  quantization: string | null
  contextTokens: number | null
  /** Canonical JSON of `Settings`. */
  settings: string
  suite: string
  suiteVersion: number
  task: string
  difficulty: Difficulty
  /** From 1. */
  repetition: number
  /** What the router thought its chance, before it was put; null where nobody asked. */
  predicted: number | null
  passed: boolean
  reason: string | null
  promptTokens: number | null
  completionTokens: number | null
  costUsd: number | null
  firstTokenMs: number | null
  totalMs: number
  /** Of the part after the first token. */
  tokensPerSecond: number | null
  loadSeconds: number | null
  memoryBytes: number | null
  /** Epoch milliseconds. */
  at: number
}

/** Where results are kept; the runner needs no more than this. */
export interface ResultStore {
  /** The newest run of this plan that has not finished. */
  unfinished: (plan: string) => string | undefined
  /** A run that was begun before goes on. */
  begin: (run: { id: string; plan: string; at: number }) => void
  finish: (run: string, at: number) => void
  save: (result: BenchmarkResult) => void
  /** Of one run, or of all, oldest first. */
  results: (run?: string) => BenchmarkResult[]
  /** Another number whenever another process, or another opening of the file, has written. */
  version: () => number
}

const columns = {
  run: 'TEXT NOT NULL',
  provider: 'TEXT NOT NULL',
  model: 'TEXT NOT NULL',
  digest: 'TEXT',
  quantization: 'TEXT',
  contextTokens: 'INTEGER',
  settings: 'TEXT NOT NULL',
  suite: 'TEXT NOT NULL',
  suiteVersion: 'INTEGER NOT NULL',
  task: 'TEXT NOT NULL',
  difficulty: 'TEXT NOT NULL',
  repetition: 'INTEGER NOT NULL',
  predicted: 'REAL',
  passed: 'INTEGER NOT NULL',
  reason: 'TEXT',
  promptTokens: 'INTEGER',
  completionTokens: 'INTEGER',
  costUsd: 'REAL',
  firstTokenMs: 'REAL',
  totalMs: 'REAL NOT NULL',
  tokensPerSecond: 'REAL',
  loadSeconds: 'REAL',
  memoryBytes: 'INTEGER',
  at: 'INTEGER NOT NULL',
} as const satisfies Record<keyof BenchmarkResult, string>

/** Results in a SQLite file of their own (`:memory:` for none). Each item is on disk when `save` returns. */
export function openResults(file: string): ResultStore & { close: () => void } {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  // A killed process must not repeat an item that was paid for, so every item is synced.
  db.pragma('synchronous = FULL')
  const names = Object.keys(columns)
  db.exec(`
    CREATE TABLE IF NOT EXISTS benchmark_runs (id TEXT PRIMARY KEY, plan TEXT NOT NULL, at INTEGER NOT NULL, finished INTEGER);
    CREATE TABLE IF NOT EXISTS benchmark_results (
      ${Object.entries(columns)
        .map(([name, type]) => `${name} ${type}`)
        .join(', ')},
      UNIQUE (run, provider, model, settings, task, repetition)
    );`)
  const columnNames = () => new Set(db.prepare(`SELECT name FROM pragma_table_info('benchmark_results')`).pluck().all())
  // Files written before the column took the spelling of the rest of the API.
  if (columnNames().has('quantisation'))
    db.exec('ALTER TABLE benchmark_results RENAME COLUMN quantisation TO quantization')
  const there = columnNames()
  // A file of an earlier version has fewer columns; what was not asked then is not known.
  for (const name of names.filter(name => !there.has(name)))
    db.exec(`ALTER TABLE benchmark_results ADD COLUMN ${name} ${columns[name as keyof BenchmarkResult]}`)
  const insert = db.prepare(
    `INSERT INTO benchmark_results (${names.join(', ')}) VALUES (${names.map(name => `@${name}`).join(', ')})`,
  )
  const ofRun = db.prepare('SELECT * FROM benchmark_results WHERE run = ? ORDER BY at, rowid')
  const all = db.prepare('SELECT * FROM benchmark_results ORDER BY at, rowid')
  const begin = db.prepare('INSERT OR IGNORE INTO benchmark_runs (id, plan, at) VALUES (@id, @plan, @at)')
  const finish = db.prepare('UPDATE benchmark_runs SET finished = @at WHERE id = @run')
  const unfinished = db.prepare(
    'SELECT id FROM benchmark_runs WHERE plan = ? AND finished IS NULL ORDER BY at DESC, rowid DESC LIMIT 1',
  )
  return {
    unfinished: plan => (unfinished.get(plan) as { id: string } | undefined)?.id,
    begin: run => void begin.run(run),
    finish: (run, at) => void finish.run({ run, at }),
    save: result => void insert.run({ ...result, passed: Number(result.passed) }),
    results: run =>
      (run === undefined ? all.all() : ofRun.all(run)).map(row => ({
        ...(row as BenchmarkResult),
        passed: (row as { passed: number }).passed === 1,
      })),
    version: () => db.pragma('data_version', { simple: true }) as number,
    close: () => db.close(),
  }
}

/** What a run would measure, as one word: two runs with the same plan continue one another. */
export function planOf(
  candidates: readonly BenchmarkCandidate[],
  suites: readonly Suite[],
  repetitions: number,
  stops: boolean,
): string {
  const plan = {
    candidates: candidates.map(candidate => [candidateKey(candidate), candidate.digest ?? null]),
    suites: suites.map(({ name, version }) => [name, version]),
    repetitions,
    stops,
  }
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16)
}

/** Settings with their keys in order, so that equal ones are equal text. */
export function settingsText(settings: ModelSettings = {}): string {
  const told = Object.entries(settings).filter(([, value]) => value !== undefined)
  return JSON.stringify(Object.fromEntries(told.sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** What tells one measured thing from another: provider, model and settings. */
export function candidateKey(of: { provider: string; model: string; settings?: ModelSettings | string }): string {
  const settings = typeof of.settings === 'string' ? of.settings : settingsText(of.settings)
  return JSON.stringify([of.provider, of.model, settings])
}
