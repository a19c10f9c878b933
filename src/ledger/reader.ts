import { setImmediate } from 'node:timers/promises'
import type Database from 'better-sqlite3'
import type { PriceView } from '../accounting/price-fields.ts'
import type { TimeRange } from './period.ts'
import { attemptColumns, RequestRow, type AttemptRow, type Stored, type StoredRequest } from './row.ts'

/** A decision with its outcome. */
export interface StoredDecision {
  request: RequestRow
  decision: unknown
  /** The caller's rating of the answer, 0..1; null where there is none. */
  rating: number | null
}

export interface Reader {
  /** The newest first. */
  recent: (limit: number) => RequestRow[]
  request: (id: string) => StoredRequest | undefined
  /** The request that a provider's call belongs to. */
  requestOfGeneration: (generationId: string) => string | undefined
  /** The oldest first; yields to the event loop every few rows. */
  decisions: (range: TimeRange) => AsyncGenerator<StoredDecision>
}

const decisionsAtOnce = 50

export function createReader(database: Database.Database): Reader {
  const requestColumns = Object.keys(RequestRow.shape)
    .map(column => `requests.${column}`)
    .join(', ')

  const selectRecent = database.prepare<[number], Stored<RequestRow>>(
    `SELECT ${requestColumns} FROM requests ORDER BY created_at DESC, seq DESC LIMIT ?`,
  )
  const selectRequest = database.prepare<[string], Stored<RequestRow> & { seq: number; decision: string | null }>(
    `SELECT seq, ${requestColumns}, decision FROM requests LEFT JOIN decisions ON request_seq = seq WHERE id = ?`,
  )
  const selectAttempts = database.prepare<[number], StoredAttempt>(
    `SELECT ${attemptColumns.join(', ')}, price FROM attempts LEFT JOIN prices ON prices.id = price_id
     WHERE request_seq = ? ORDER BY ordinal`,
  )
  const selectDecisions = database.prepare<
    [number, number, number],
    Stored<RequestRow> & { seq: number; decision: string; rating: number | null }
  >(
    `SELECT seq, ${requestColumns}, decision, ratings.score AS rating
     FROM requests JOIN decisions ON request_seq = seq LEFT JOIN ratings ON ratings.request_id = requests.id
     WHERE (created_at, seq) > (?, ?) AND created_at < ? ORDER BY created_at, seq LIMIT ${decisionsAtOnce}`,
  )

  const selectGeneration = database
    .prepare<[string], string>(
      `SELECT requests.id FROM attempts JOIN requests ON seq = request_seq WHERE generation_id = ? LIMIT 1`,
    )
    .pluck()

  return {
    requestOfGeneration: id => selectGeneration.get(id),
    recent: limit => selectRecent.all(limit).map(requestRow),
    request: id => {
      const raw = selectRequest.get(id)
      if (raw === undefined) return undefined
      const { seq, decision, ...request } = raw
      return {
        request: requestRow(request),
        attempts: selectAttempts.all(seq).map(attemptRow),
        decision: decision === null ? null : JSON.parse(decision),
      }
    },
    async *decisions({ fromMs, toMs }) {
      let after: [number, number] = [fromMs - 1, Number.MAX_SAFE_INTEGER]
      while (true) {
        const found = selectDecisions.all(...after, toMs)
        for (const { seq, decision, rating, ...request } of found) {
          yield { request: requestRow(request), decision: JSON.parse(decision), rating }
          after = [request.created_at, seq]
        }
        if (found.length < decisionsAtOnce) return
        await setImmediate()
      }
    },
  }
}

function requestRow(raw: Stored<RequestRow>): RequestRow {
  return { ...raw, ...flags(raw), stream: raw.stream === 1 }
}

type StoredAttempt = Omit<Stored<AttemptRow>, 'price'> & { price: string | null }

function attemptRow(raw: StoredAttempt): AttemptRow {
  return {
    ...raw,
    ...flags(raw),
    price: raw.price === null ? null : (JSON.parse(raw.price) as PriceView),
  }
}

function flags(raw: Pick<Stored<AttemptRow>, 'usage_estimated' | 'partial'>) {
  return { usage_estimated: raw.usage_estimated === 1, partial: raw.partial === 1 }
}
