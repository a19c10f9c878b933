import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Database from 'better-sqlite3'

/** What a dead server's ledger holds. */
export interface LedgerState {
  /** Violations of integrity, empty if there are none. */
  faults: string[]
  /** Callers' ids of the recorded requests. */
  requests: Set<string>
  /** Callers' ids that were recorded more than once, and tasks that were completed more than once. */
  doubled: string[]
  /** Ids of all tasks. */
  tasks: Set<string>
  /** Tasks without a final state, and failed ones that do not say why. */
  unfinished: string[]
}

const integrityQueries = [
  `SELECT 'attempts of ' || id FROM requests
   WHERE attempts <> (SELECT count(*) FROM attempts WHERE request_seq = seq)`,
  `SELECT 'no job of ' || id FROM tasks WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE task_seq = tasks.seq)`,
  `SELECT 'state of ' || tasks.id FROM tasks JOIN jobs ON jobs.seq = (SELECT max(seq) FROM jobs WHERE task_seq = tasks.seq)
   WHERE tasks.state <> jobs.state`,
]
const doubledQuery = `
  SELECT caller_request_id FROM requests WHERE caller_request_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1
  UNION ALL
  SELECT tasks.id FROM tasks JOIN jobs ON task_seq = tasks.seq WHERE jobs.state = 'completed' GROUP BY 1 HAVING count(*) > 1`
const unfinishedQuery = `
  SELECT tasks.id FROM tasks JOIN jobs ON jobs.seq = (SELECT max(seq) FROM jobs WHERE task_seq = tasks.seq)
  WHERE tasks.finished_at IS NULL OR (tasks.state = 'failed' AND jobs.message IS NULL)`

/** Reads a copy: opening the files themselves would repair them, and that is left to the next start. */
export function readLedger(dataDir: string): LedgerState {
  const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-crash-'))
  try {
    for (const name of ['ledger.db', 'ledger.db-wal']) {
      const file = path.join(dataDir, name)
      if (existsSync(file)) copyFileSync(file, path.join(folder, name))
    }
    return stateOf(path.join(folder, 'ledger.db'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function stateOf(file: string): LedgerState {
  const database = new Database(file)
  try {
    const column = (query: string) => database.prepare<[], string>(query).pluck().all()
    // Killed before its first start was complete.
    if (database.pragma('user_version', { simple: true }) === 0) {
      return { faults: [], requests: new Set(), doubled: [], tasks: new Set(), unfinished: [] }
    }
    const integrity = database.pragma('integrity_check', { simple: true }) as string
    return {
      faults: [
        ...(integrity === 'ok' ? [] : [integrity]),
        ...(database.pragma('foreign_key_check') as unknown[]).map(fault => JSON.stringify(fault)),
        ...integrityQueries.flatMap(column),
      ],
      requests: new Set(column('SELECT caller_request_id FROM requests WHERE caller_request_id IS NOT NULL')),
      doubled: column(doubledQuery),
      tasks: new Set(column('SELECT id FROM tasks')),
      unfinished: column(unfinishedQuery),
    }
  } finally {
    database.close()
  }
}
