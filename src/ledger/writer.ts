import Database from 'better-sqlite3'
import { redact } from '../redact.ts'
import type { AttemptRecord, RequestRecord } from './record.ts'
import { createPriceTable } from './prices.ts'
import { attemptColumns, RequestRow, type AttemptRow, tokenCells, type Stored } from './row.ts'

/** A record, or its decision, that the database rejects however often it is retried. */
export interface Rejection {
  id: string
  why: string
  cause?: unknown
}

/** Stores records in one transaction: all but the rejected ones or, when it throws, none. */
export type Write = (entries: readonly RequestRecord[]) => Rejection[]

export function createWriter(database: Database.Database): Write {
  const insertRequest = insertion(database, 'requests', Object.keys(RequestRow.shape), 'ON CONFLICT (id) DO NOTHING')
  const insertAttempt = insertion(database, 'attempts', ['request_seq', ...attemptColumns, 'price_id'])
  const prices = createPriceTable(database)
  const insertDecision = database.prepare<[number, string]>(
    'INSERT INTO decisions (request_seq, decision) VALUES (?, ?)',
  )

  function insert(entry: RequestRecord): Rejection[] {
    const { changes, lastInsertRowid } = insertRequest(requestRow(entry))
    if (changes === 0) return [{ id: entry.id, why: 'its id already exists: a request is recorded once' }]
    const seq = Number(lastInsertRowid)
    entry.attempts.forEach((attempt, ordinal) =>
      insertAttempt({ ...attemptRow(attempt), request_seq: seq, ordinal, price_id: prices.idOf(attempt.price) }),
    )
    if (entry.decision === undefined) return []
    const { json, rejection } = decisionJson(entry)
    if (json !== undefined) insertDecision.run(seq, json)
    return rejection === undefined ? [] : [rejection]
  }

  const insertAll = database.transaction((entries: readonly RequestRecord[]) => entries.flatMap(insert))
  const insertOne = database.transaction(insert)
  // A savepoint per record costs time, so it is used only for the batch with a bad one.
  const insertEach = database.transaction((entries: readonly RequestRecord[]) =>
    entries.flatMap(entry => {
      try {
        return insertOne(entry)
      } catch (error) {
        prices.forget()
        if (!isRecordFault(error)) throw error
        return [{ id: entry.id, why: 'its values do not fit the schema', cause: error }]
      }
    }),
  )

  return entries => {
    try {
      return insertAll.immediate(entries)
    } catch (error) {
      prices.forget()
      if (!isRecordFault(error)) throw error
      return insertEach.immediate(entries)
    }
  }
}

const nameChars = 200
const messageChars = 500
const decisionChars = 512 * 1024

function requestRow(entry: RequestRecord): Stored<RequestRow> {
  return {
    id: entry.id,
    created_at: Math.round(entry.createdAt),
    endpoint: entry.endpoint,
    key_id: cut(entry.keyId) ?? 'anonymous',
    session: cut(entry.session),
    requested_model: entry.requestedModel.slice(0, nameChars),
    provider: cut(entry.provider),
    model: cut(entry.model),
    upstream_model: cut(entry.upstreamModel),
    tier: entry.tier ?? null,
    outcome: entry.outcome,
    failure_code: entry.failureCode ?? null,
    status: entry.status,
    stream: entry.stream ? 1 : 0,
    attempts: entry.attempts.length,
    ...consumed(entry),
    ttft_ms: entry.ttftMs ?? null,
    duration_ms: entry.durationMs,
    queue_ms: entry.queueMs ?? null,
    route_ms: entry.routeMs ?? null,
    reason: cut(entry.reason),
    caller_request_id: cut(entry.callerRequestId),
    tags: tagsJson(entry.tags),
    task: cut(entry.task),
    reference_model: cut(entry.reference?.model),
    reference_cost_usd: entry.reference?.costUsd ?? null,
  }
}

function attemptRow(attempt: AttemptRecord): Omit<Stored<AttemptRow>, 'ordinal' | 'price'> {
  return {
    provider: attempt.provider,
    model: attempt.model,
    started_at: Math.round(attempt.startedAt),
    outcome: attempt.outcome,
    failure_code: attempt.failureCode ?? null,
    message: attempt.message === undefined ? null : redact(attempt.message, messageChars),
    status: attempt.status ?? null,
    ttft_ms: attempt.ttftMs ?? null,
    duration_ms: attempt.durationMs,
    ...consumed(attempt),
    generation_id: cut(attempt.generationId),
    cost_source: attempt.costSource ?? null,
    price_at: attempt.priceOrigin === undefined ? null : Math.round(attempt.priceOrigin.at),
  }
}

type Consumed = Pick<AttemptRecord, 'usage' | 'costUsd' | 'energyUsd' | 'byokCostUsd'>

function consumed({ usage, costUsd, energyUsd, byokCostUsd }: Consumed) {
  return {
    ...tokenCells(usage),
    usage_estimated: usage.estimated === true ? (1 as const) : (0 as const),
    partial: usage.partial === true ? (1 as const) : (0 as const),
    cost_usd: costUsd ?? null,
    energy_usd: energyUsd ?? 0,
    byok_cost_usd: byokCostUsd ?? 0,
  }
}

const maxTags = 20

function tagsJson(tags: readonly string[] | undefined): string | null {
  return tags === undefined || tags.length === 0 ? null : JSON.stringify(tags.slice(0, maxTags).map(tag => cut(tag)))
}

function cut(text: string | undefined): string | null {
  return text?.slice(0, nameChars) ?? null
}

/**
 * Inserts rows of a table; `columns` must name every one of their fields. Bound by position: by name takes a quarter
 * longer.
 */
function insertion(
  database: Database.Database,
  table: string,
  columns: readonly string[],
  conflict = '',
): (row: Readonly<Record<string, unknown>>) => Database.RunResult {
  const marks = columns.map(() => '?')
  const statement = database.prepare<[unknown[]]>(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks.join(', ')}) ${conflict}`,
  )
  return row => statement.run(columns.map(column => row[column]))
}

/** The request matters more than its explanation: a decision that cannot be stored is left out and reported. */
function decisionJson({ id, decision }: RequestRecord): { json?: string; rejection?: Rejection } {
  try {
    const json = JSON.stringify(decision)
    if (json.length <= decisionChars) return { json }
    return { rejection: { id, why: `its decision has ${json.length} characters, more than ${decisionChars}` } }
  } catch (error) {
    return { rejection: { id, why: 'its decision cannot be written as JSON', cause: error } }
  }
}

/** Whether the record is at fault (a value of the wrong type or out of range) and not the disk. */
function isRecordFault(error: unknown): boolean {
  if (error instanceof Database.SqliteError) return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(error.code)
  return error instanceof TypeError || error instanceof RangeError
}
