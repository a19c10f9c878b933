import type Database from 'better-sqlite3'
import type { TimeRange } from './period.ts'

/** What a provider said at a moment that it had billed since the key exists; USD. */
export interface Checkpoint {
  /** Milliseconds since the epoch. */
  at: number
  billedUsd: number
  byokUsd: number
}

/** One call of a provider and what was recorded of its cost. */
export interface BilledAttempt {
  requestId: string
  ordinal: number
  /** Name of the API key that it was made for. */
  keyId: string
  model: string
  /** Milliseconds since the epoch. */
  startedAt: number
  /** Null where it is not known. */
  costUsd: number | null
  energyUsd: number
  generationId: string | null
  estimated: 0 | 1
}

export interface Reconciliations {
  /** The last one of a provider. */
  checkpoint: (provider: string) => Checkpoint | undefined
  saveCheckpoint: (provider: string, checkpoint: Checkpoint) => void
  /** The next `limit` calls of a provider that ended in a range; `after` is the last one of those before. */
  attempts: (provider: string, range: TimeRange, limit: number, after?: AttemptPlace) => AttemptPage
}

/** Where an attempt is in the order of time. */
export interface AttemptPlace {
  createdAt: number
  seq: number
  ordinal: number
}

export interface AttemptPage {
  attempts: BilledAttempt[]
  /** Undefined if there are no more. */
  last: AttemptPlace | undefined
}

/** A call that ended in a range began at most this long before it, since no request takes longer. */
const longestRequestMs = 86_400_000
const keptCheckpoints = 400

export function createReconciliations(database: Database.Database): Reconciliations {
  const selectLast = database.prepare<[string], Checkpoint>(
    `SELECT at, billed_usd AS billedUsd, byok_usd AS byokUsd FROM reconciliations
     WHERE provider = ? ORDER BY at DESC LIMIT 1`,
  )
  const insert = database.prepare(
    'INSERT OR REPLACE INTO reconciliations (provider, at, billed_usd, byok_usd) VALUES (?, ?, ?, ?)',
  )
  const deleteOld = database.prepare(
    `DELETE FROM reconciliations WHERE provider = ? AND at <= (
       SELECT at FROM reconciliations WHERE provider = ? ORDER BY at DESC LIMIT 1 OFFSET ${keptCheckpoints}
     )`,
  )
  const selectAttempts = database.prepare<unknown[], BilledAttempt & AttemptPlace>(
    `SELECT requests.id AS requestId, ordinal, key_id AS keyId, attempts.model AS model, started_at AS startedAt, attempts.cost_usd AS costUsd,
       attempts.energy_usd AS energyUsd, generation_id AS generationId, attempts.usage_estimated AS estimated,
       created_at AS createdAt, seq
     FROM requests JOIN attempts ON request_seq = seq
     WHERE (created_at, seq, ordinal) > (?, ?, ?) AND created_at < ? AND attempts.provider = ?
       AND started_at + attempts.duration_ms >= ? AND started_at + attempts.duration_ms < ?
     ORDER BY created_at, seq, ordinal LIMIT ?`,
  )

  return {
    checkpoint: provider => selectLast.get(provider),
    saveCheckpoint(provider, { at, billedUsd, byokUsd }) {
      insert.run(provider, Math.round(at), billedUsd, byokUsd)
      deleteOld.run(provider, provider)
    },
    attempts(provider, { fromMs, toMs }, limit, after) {
      const start = after ?? { createdAt: fromMs - longestRequestMs, seq: 0, ordinal: 0 }
      const found = selectAttempts.all(start.createdAt, start.seq, start.ordinal, toMs, provider, fromMs, toMs, limit)
      return { attempts: found, last: found.length < limit ? undefined : found.at(-1) }
    },
  }
}
