import type { Logger } from 'pino'
import { GatewayError } from '../errors.ts'
import { createAgentNotes, type AgentNotes } from './agent-notes.ts'
import { createLearned, type Learned } from './learned.ts'
import { ledgerFailure, openDatabase } from './database.ts'
import type { RequestRecord } from './record.ts'
import type { TimeRange } from './period.ts'
import { createPruner } from './pruner.ts'
import { createReader, type StoredDecision } from './reader.ts'
import type { StoredRequest, RequestRow } from './row.ts'
import { createTaskStore, type TaskStore } from './tasks.ts'
import { createUsageReader, type UsageQuery, type UsageReport } from './usage.ts'
import { createWriteBehind, type WriteBehindState } from './write-behind.ts'
import { createWriter } from './writer.ts'

/**
 * The books. What is recorded waits in memory for at most `flushMs` and then goes to disk in one transaction; every read
 * writes it first. Reads are asynchronous, let the event loop turn between slices, and reject with their signal's reason or,
 * when the database fails, with `ledger_unavailable` naming the file.
 */
export interface Ledger {
  /** Takes note of a settled request. Costs next to nothing and never throws: failures show in the log and in `status()`. */
  record: (entry: RequestRecord) => void
  /** Writes what is held; rejects when that fails, and keeps it for the next try. */
  flush: () => Promise<void>
  /** The newest requests first. */
  recent: (limit: number) => Promise<RequestRow[]>
  request: (id: string) => Promise<StoredRequest | undefined>
  /** The query must be an output of the `UsageQuery` schema. */
  usage: (query: UsageQuery, signal?: AbortSignal) => Promise<UsageReport>
  /** Stored decisions with what came of them, the oldest first, a few in memory at a time. */
  decisions: (range: TimeRange) => AsyncIterable<StoredDecision>
  /** Deletes requests created before `beforeMs`, with their attempts, decisions and ratings. Resolves to how many. */
  prune: (beforeMs: number, signal?: AbortSignal) => Promise<number>
  /** Deletes only the decisions of requests created before `beforeMs`. Resolves to how many. */
  pruneDecisions: (beforeMs: number, signal?: AbortSignal) => Promise<number>
  status: () => LedgerStatus
  /** Background work. Unlike requests it is written at once: its caller has been promised a result. */
  readonly tasks: TaskStore
  readonly notes: AgentNotes
  /** What the router learned. */
  readonly learned: Learned
  /** Writes what is held and lets go of the file. Rejects when something could not be written; it is released all the same. */
  close: () => Promise<void>
}

export interface LedgerStatus extends WriteBehindState {
  file: string
  /** Of the written ones, those the database refused in part or whole: each one is a mistake of ours and in the log. */
  rejected: number
  /** The failure that writing is waiting out now. */
  failure: { message: string; atMs: number } | undefined
}

export interface LedgerParts {
  /** Path of the SQLite file; created, with its folder, when absent. */
  file: string
  /** Milliseconds since the epoch. */
  now: () => number
  log?: Pick<Logger, 'error'>
  /** The longest a record stays in memory only. */
  flushMs?: number
  /** The most records kept in memory while the disk fails. */
  maxBuffered?: number
  /** How long a write may hold up the process for another process's lock; after that it is tried again later. */
  busyMs?: number
}

/** There is no later try for what is held at the end, so it waits longer for another process. */
const closingBusyMs = 5_000

/** Throws `ledger_unavailable` when the file is damaged, newer than this program, not ours, or cannot be written. */
export function openLedger(parts: LedgerParts): Ledger {
  const { file, now, log, flushMs = 100, maxBuffered = 5_000, busyMs = 250 } = parts
  const database = openDatabase(file, busyMs)
  const write = createWriter(database)
  const reader = createReader(database)
  const readUsage = createUsageReader(database)
  const pruner = createPruner(database)
  let rejected = 0
  let failure: LedgerStatus['failure']
  let closing: Promise<void> | undefined

  const buffer = createWriteBehind<RequestRecord>({
    flushMs,
    maxBuffered,
    write: entries => {
      for (const { id, why, cause } of write(entries)) {
        rejected += 1
        log?.error({ id, err: cause }, `The ledger refused part of a request: ${why}.`)
      }
      failure = undefined
    },
    onFailure: (error, retryMs) => {
      failure = { message: (ledgerFailure(file, error) as Error).message, atMs: now() }
      log?.error({ err: error, retryMs }, failure.message)
    },
    onLoss: () => log?.error({ file }, 'The ledger drops records: it is closed, or its file cannot be written.'),
  })

  /** Runs a read on books that are complete. */
  async function reading<Result>(read: () => Result | Promise<Result>): Promise<Result> {
    buffer.flushIfHealthy()
    return naming(read)
  }

  /** Makes what a read throws name the file. */
  async function naming<Result>(read: () => Result | Promise<Result>): Promise<Result> {
    try {
      if (closing !== undefined) throw closedError(file)
      return await read()
    } catch (error) {
      throw closing === undefined ? ledgerFailure(file, error) : closedError(file)
    }
  }

  async function* decisions(range: TimeRange): AsyncGenerator<StoredDecision> {
    buffer.flushIfHealthy()
    const found = reader.decisions(range)
    while (true) {
      const next = await naming(() => found.next())
      if (next.done === true) return
      yield next.value
    }
  }

  const unwritten = () =>
    new GatewayError('ledger_unavailable', failure?.message ?? `The ledger ${file} could not be written.`)

  async function close(): Promise<void> {
    database.pragma(`busy_timeout = ${closingBusyMs}`)
    const complete = buffer.close()
    database.close()
    if (!complete) throw unwritten()
  }

  return {
    record: buffer.push,
    flush: async () => {
      if (!buffer.flush()) throw unwritten()
    },
    recent: limit => reading(() => reader.recent(limit)),
    request: id => reading(() => reader.request(id)),
    usage: (query, signal) => reading(() => readUsage(query, now(), signal)),
    decisions,
    prune: (beforeMs, signal) => reading(() => pruner.requests(beforeMs, signal)),
    pruneDecisions: (beforeMs, signal) => reading(() => pruner.decisions(beforeMs, signal)),
    status: () => ({ file, ...buffer.state(), rejected, failure }),
    tasks: createTaskStore(database),
    notes: createAgentNotes(database),
    learned: createLearned(database),
    close: () => (closing ??= close()),
  }
}

function closedError(file: string): GatewayError {
  return new GatewayError('ledger_unavailable', `The ledger ${file} is closed.`)
}
