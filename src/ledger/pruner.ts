import { setImmediate } from 'node:timers/promises'
import type Database from 'better-sqlite3'

/** Deletes old rows in small batches, so that it never holds the event loop for long. Both resolve to the number deleted. */
export interface Pruner {
  /** Requests created before `beforeMs`, with their attempts, decisions and ratings. */
  requests: (beforeMs: number, signal?: AbortSignal) => Promise<number>
  /** Only the decisions of such requests. */
  decisions: (beforeMs: number, signal?: AbortSignal) => Promise<number>
}

/**
 * Rows deleted before yielding to the event loop. A row takes the others that belong to it along: a decision may be tens of
 * kilobytes, the text of a task a megabyte.
 */
export const batchRows = 10

export function createPruner(database: Database.Database): Pruner {
  const oldRequests = `FROM requests WHERE created_at < ? ORDER BY created_at LIMIT ${batchRows}`
  const deleteRatings = database.prepare<[number]>(`DELETE FROM ratings WHERE request_id IN (SELECT id ${oldRequests})`)
  const deleteRequests = database.prepare<[number]>(`DELETE FROM requests WHERE seq IN (SELECT seq ${oldRequests})`)
  const requestsBatch = database.transaction((beforeMs: number) => {
    deleteRatings.run(beforeMs)
    return deleteRequests.run(beforeMs).changes
  })
  // Only the first decisions are checked: all older ones are gone, and a search for more would read every old request.
  const deleteDecisions = database.prepare<[number]>(
    `DELETE FROM decisions WHERE request_seq IN (
       SELECT seq FROM (SELECT request_seq FROM decisions ORDER BY request_seq LIMIT ${batchRows})
       JOIN requests ON seq = request_seq WHERE created_at < ?
     )`,
  )
  const decisionsBatch = (beforeMs: number) => deleteDecisions.run(beforeMs).changes

  return {
    requests: (beforeMs, signal) => deleteInBatches(() => requestsBatch(beforeMs), signal),
    decisions: (beforeMs, signal) => deleteInBatches(() => decisionsBatch(beforeMs), signal),
  }
}

/** Deletes `batchRows` rows at a time, with turns of the event loop in between, until a batch finds fewer. Resolves to their number. */
export async function deleteInBatches(deleteBatch: () => number, signal: AbortSignal | undefined): Promise<number> {
  let deleted = 0
  while (true) {
    signal?.throwIfAborted()
    const changes = deleteBatch()
    deleted += changes
    if (changes < batchRows) return deleted
    await setImmediate()
  }
}
