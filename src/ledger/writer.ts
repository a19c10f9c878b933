import Database from 'better-sqlite3'
import { redact } from '../wire/redact.ts'
import type { Usage } from '../wire/usage.ts'
import type { AttemptEntry, RequestEntry } from './entry.ts'
import type { AttemptRow, RequestRow } from './row.ts'

/** An entry, or the decision of one, that the database does not take however often it is tried. */
export interface Rejection {
  id: string
  why: string
  cause?: unknown
}

/** Stores entries in one transaction: all but the rejected ones or, when it throws, none. */
export type Write = (entries: readonly RequestEntry[]) => Rejection[]

export function createWriter(database: Database.Database): Write {
  const insertRequest = insertion(database, 'requests', requestCells, 'ON CONFLICT (id) DO NOTHING')
  const insertAttempt = insertion(database, 'attempts', attemptCells)
  const insertDecision = database.prepare<[number, string]>(
    'INSERT INTO decisions (request_seq, decision) VALUES (?, ?)',
  )

  function insert(entry: RequestEntry): Rejection[] {
    const { changes, lastInsertRowid } = insertRequest(entry)
    if (changes === 0) return [{ id: entry.id, why: 'its id is taken: a request is recorded once' }]
    const seq = Number(lastInsertRowid)
    for (const [ordinal, attempt] of entry.attempts.entries()) insertAttempt({ seq, ordinal, attempt })
    if (entry.decision === undefined) return []
    const { json, rejection } = decisionJson(entry)
    if (json !== undefined) insertDecision.run(seq, json)
    return rejection === undefined ? [] : [rejection]
  }

  const insertAll = database.transaction((entries: readonly RequestEntry[]) => entries.flatMap(insert))
  const insertOne = database.transaction(insert)
  // A savepoint for each entry costs time, so this is for the batch that has a bad one.
  const insertEach = database.transaction((entries: readonly RequestEntry[]) =>
    entries.flatMap(entry => {
      try {
        return insertOne(entry)
      } catch (error) {
        if (!isEntryFault(error)) throw error
        return [{ id: entry.id, why: 'its values do not fit', cause: error }]
      }
    }),
  )

  return entries => {
    try {
      return insertAll.immediate(entries)
    } catch (error) {
      if (!isEntryFault(error)) throw error
      return insertEach.immediate(entries)
    }
  }
}

type Cell = string | number | null
type Cells<Row, Source> = Record<keyof Row & string, (source: Source) => Cell>

const nameChars = 200
const reasonChars = 300
const messageChars = 500
const decisionChars = 512 * 1024

const requestCells: Cells<RequestRow, RequestEntry> = {
  id: entry => entry.id,
  created_at: entry => Math.round(entry.createdAt),
  endpoint: entry => entry.endpoint,
  key_id: entry => name(entry.keyId) ?? 'anonymous',
  session: entry => name(entry.session),
  requested_model: entry => entry.requestedModel.slice(0, nameChars),
  provider: entry => name(entry.provider),
  model: entry => name(entry.model),
  upstream_model: entry => name(entry.upstreamModel),
  tier: entry => entry.tier ?? null,
  outcome: entry => entry.outcome,
  failure_code: entry => entry.failureCode ?? null,
  status: entry => entry.status,
  stream: entry => Number(entry.stream),
  attempts: entry => entry.attempts.length,
  ...consumedCells((entry: RequestEntry) => entry),
  ttft_ms: entry => entry.ttftMs ?? null,
  duration_ms: entry => entry.durationMs,
  queue_ms: entry => entry.queueMs ?? null,
  route_ms: entry => entry.routeMs ?? null,
  reason: entry => (entry.reason === undefined ? null : redact(entry.reason, reasonChars)),
}

interface PlacedAttempt {
  seq: number
  ordinal: number
  attempt: AttemptEntry
}

const attemptCells: Cells<AttemptRow & { request_seq: number }, PlacedAttempt> = {
  request_seq: ({ seq }) => seq,
  ordinal: ({ ordinal }) => ordinal,
  provider: ({ attempt }) => attempt.provider,
  model: ({ attempt }) => attempt.model,
  started_at: ({ attempt }) => Math.round(attempt.startedAt),
  outcome: ({ attempt }) => attempt.outcome,
  failure_code: ({ attempt }) => attempt.failureCode ?? null,
  message: ({ attempt }) => (attempt.message === undefined ? null : redact(attempt.message, messageChars)),
  status: ({ attempt }) => attempt.status ?? null,
  ttft_ms: ({ attempt }) => attempt.ttftMs ?? null,
  duration_ms: ({ attempt }) => attempt.durationMs,
  ...consumedCells(({ attempt }: PlacedAttempt) => attempt),
}

function consumedCells<Source>(of: (source: Source) => { usage: Usage; costUsd?: number | undefined }) {
  return {
    input_tokens: (source: Source) => of(source).usage.inputTokens,
    cache_read_tokens: (source: Source) => of(source).usage.cacheReadTokens,
    cache_write_tokens: (source: Source) => of(source).usage.cacheWriteTokens,
    output_tokens: (source: Source) => of(source).usage.outputTokens,
    reasoning_tokens: (source: Source) => of(source).usage.reasoningTokens,
    usage_estimated: (source: Source) => Number(of(source).usage.estimated ?? false),
    cost_usd: (source: Source) => of(source).costUsd ?? null,
  }
}

function name(text: string | undefined): string | null {
  return text?.slice(0, nameChars) ?? null
}

function insertion<Source>(
  database: Database.Database,
  table: string,
  cells: Record<string, (source: Source) => Cell>,
  conflict = '',
): (source: Source) => Database.RunResult {
  const columns = Object.keys(cells)
  const values = Object.values(cells)
  const marks = columns.map(() => '?')
  const statement = database.prepare<[Cell[]]>(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks.join(', ')}) ${conflict}`,
  )
  return source => statement.run(values.map(cell => cell(source)))
}

/** The request is worth more than its explanation: a decision that cannot be stored is left out and reported. */
function decisionJson({ id, decision }: RequestEntry): { json?: string; rejection?: Rejection } {
  try {
    const json = JSON.stringify(decision)
    if (json.length <= decisionChars) return { json }
    return { rejection: { id, why: `its decision has ${json.length} characters, more than ${decisionChars}` } }
  } catch (error) {
    return { rejection: { id, why: 'its decision cannot be written as JSON', cause: error } }
  }
}

/** Whether the entry is to blame (a value of the wrong type or out of range) and not the disk. */
function isEntryFault(error: unknown): boolean {
  if (error instanceof Database.SqliteError) return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(error.code)
  return error instanceof TypeError || error instanceof RangeError
}
