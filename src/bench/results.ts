import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'
import { createPrivateFile } from '../private-files.ts'
import type { Price } from '../accounting/pricing.ts'
import type { Difficulty, Suite } from './suites/suite.ts'

/** How a model is prompted: part of the identity of a result. */
export interface ModelSettings {
  temperature?: number
  seed?: number
  /** A prompting strategy's name and the system text that it prepends to each task; the default has neither. */
  strategy?: string
  system?: string
}

/** A model to be measured, as exactly as its server describes it. */
export interface BenchmarkCandidate {
  provider: string
  model: string
  /** Identifies the weights; when it changes, older results belong to another model. */
  digest?: string
  quantization?: string
  contextTokens?: number
  /** Whether calling it costs money. */
  paid: boolean
  /** USD per million tokens, for replies without a reported cost. */
  price?: Price
  settings?: ModelSettings
  /** In memory before the first item; false means that the first answer includes the loading time. */
  loaded?: boolean
  /** Memory taken by its weights, where its server reports it. */
  memoryBytes?: number
}

/** One item: one task run once on one model. */
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
  /** The router's predicted pass probability before the item; null without a prediction. */
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

/** Storage of results, as far as the runner needs it. */
export interface ResultStore {
  /** The newest unfinished run of this plan. */
  unfinished: (plan: string) => string | undefined
  /** Continues an existing run with the same id. */
  begin: (run: { id: string; plan: string; at: number }) => void
  finish: (run: string, at: number) => void
  save: (result: BenchmarkResult) => void
  /** Of one run, or of all, oldest first. */
  results: (run?: string) => BenchmarkResult[]
  /** Changes whenever another process, or another connection to the file, has written. */
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

/** Results in a separate SQLite file (`:memory:` for none). Each item is on disk when `save` returns. */
export function openResults(file: string): ResultStore & { close: () => void } {
  if (file !== ':memory:') createPrivateFile(file)
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  // After a crash no paid item may be repeated, so every item is synced.
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
  // Older files spell the column name differently.
  if (columnNames().has('quantisation'))
    db.exec('ALTER TABLE benchmark_results RENAME COLUMN quantisation TO quantization')
  const there = columnNames()
  // A file of an earlier version has fewer columns; values not recorded then are unknown.
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

/** A key for what a run measures: two runs with the same plan continue one another. */
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

/** Settings with sorted keys, so that equal ones are equal text. */
export function settingsText(settings: ModelSettings = {}): string {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined)
  return JSON.stringify(Object.fromEntries(given.sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** The key of what was measured: provider, model and settings. */
export function candidateKey(of: { provider: string; model: string; settings?: ModelSettings | string }): string {
  const settings = typeof of.settings === 'string' ? of.settings : settingsText(of.settings)
  return JSON.stringify([of.provider, of.model, settings])
}
