import type { Logger } from 'pino'
import { GatewayError } from '../errors.ts'
import type { Usage } from '../wire/usage.ts'
import { createAgentNotes, type AgentNotes } from './agent-notes.ts'
import { openBudgets, type BudgetStore } from './budgets.ts'
import { createApiKeyStore, type ApiKeyStore } from './api-keys.ts'
import { createCharges, type EstimatedAttempt } from './charges.ts'
import { createLearned, type Learned } from './learned.ts'
import { ledgerFailure, openDatabase } from './database.ts'
import type { RequestRecord } from './record.ts'
import type { TimeRange } from './period.ts'
import { createPruner } from './pruner.ts'
import { createReader, type StoredDecision } from './reader.ts'
import type { StoredRequest, RequestRow } from './row.ts'
import { createReconciliations, type Reconciliations } from './reconciliations.ts'
import { createTaskStore, type TaskStore } from './tasks.ts'
import { createUsageReader, type UsageReport } from './usage.ts'
import type { UsageQuery } from './usage-query.ts'
import { createWriteBehind, type WriteBehindState } from './write-behind.ts'
import { createWriter } from './writer.ts'

/**
 * The usage ledger. Records wait in memory for at most `flushMs` and then go to disk in one transaction; every read
 * writes them first. Reads are asynchronous, yield to the event loop between slices, and reject with their signal's
 * reason or, when the database fails, with `ledger_unavailable` naming the file.
 */
export interface Ledger {
  /** Records a settled request. Costs next to nothing and never throws: failures appear in the log and in `status()`. */
  record: (entry: RequestRecord) => void
  /** Writes pending records; rejects when that fails, and keeps them for the next attempt. */
  flush: () => Promise<void>
  /** The newest requests first. */
  recent: (limit: number) => Promise<RequestRow[]>
  request: (id: string) => Promise<StoredRequest | undefined>
  /** The id of the request that a provider's call, by its own id, was made for. */
  requestOfGeneration: (generationId: string) => Promise<string | undefined>
  /** The query must be valid, as `UsageRequest` checks; `keyId` limits it to the requests of one API key. */
  usage: (query: UsageQuery, signal?: AbortSignal, keyId?: string) => Promise<UsageReport>
  /** Stored decisions with their outcomes, the oldest first, a few in memory at a time. */
  decisions: (range: TimeRange) => AsyncIterable<StoredDecision>
  /** Deletes requests created before `beforeMs`, with their attempts, decisions and ratings. Resolves to how many. */
  prune: (beforeMs: number, signal?: AbortSignal) => Promise<number>
  /** Deletes only the decisions of requests created before `beforeMs`. Resolves to how many. */
  pruneDecisions: (beforeMs: number, signal?: AbortSignal) => Promise<number>
  /** Estimated charges since `sinceMs` of which the provider can be asked, the oldest first. */
  estimated: (sinceMs: number, limit: number) => Promise<EstimatedAttempt[]>
  /** Replaces an estimate by what was billed; resolves to false if there is no such estimate (any more). */
  correct: (attempt: Pick<EstimatedAttempt, 'requestId' | 'ordinal'>, bill: Usage) => Promise<boolean>
  status: () => LedgerStatus
  /** Background tasks. Unlike requests they are written at once: their caller already has the task's id. */
  readonly tasks: TaskStore
  readonly notes: AgentNotes
  readonly reconciliations: Reconciliations
  /** What the router has learned. */
  readonly learned: Learned
  readonly apiKeys: ApiKeyStore
  readonly budgets: BudgetStore
  /**
   * Writes pending records and releases the file. Rejects when something could not be written; the file is released all
   * the same.
   */
  close: () => Promise<void>
}

export interface LedgerStatus extends WriteBehindState {
  file: string
  /** Of the written records, those that the database rejected in part or whole: each is a bug of ours and logged. */
  rejected: number
  /** The error that delays writing now. */
  failure: { message: string; atMs: number } | undefined
}

export interface LedgerParts {
  /** Path of the SQLite file; created, with its folder, when absent. */
  file: string
  /** Milliseconds since the epoch. */
  now: () => number
  log?: Pick<Logger, 'error'>
  /** Maximum time that a record is in memory only. Half of what is promised: a busy process is late. */
  flushMs?: number
  /** Maximum number of records kept in memory while the disk fails. */
  maxBuffered?: number
  /** Maximum time that a write blocks the process for another process's lock; after that it is retried later. */
  busyMs?: number
}

/** There is no later try for what is held at the end, so it waits longer for another process. */
const closingBusyMs = 5_000

/** Throws `ledger_unavailable` when the file is damaged, newer than this program, foreign, or not writable. */
export function openLedger(parts: LedgerParts): Ledger {
  const { file, now, log, flushMs = 50, maxBuffered = 5_000, busyMs = 250 } = parts
  const database = openDatabase(file, busyMs)
  const write = createWriter(database)
  const reader = createReader(database)
  const readUsage = createUsageReader(database)
  const pruner = createPruner(database)
  const reportFailure = (error: unknown, retryMs: number) => {
    failure = { message: (ledgerFailure(file, error) as Error).message, atMs: now() }
    log?.error({ err: error, retryMs }, failure.message)
  }
  const onLoss = () =>
    log?.error({ file }, 'The ledger is dropping records: it is closed, or its file cannot be written.')
  const budgets = openBudgets(database, { flushMs, maxBuffered, onFailure: reportFailure, onLoss })
  const charges = createCharges(database, budgets)
  let rejected = 0
  let failure: LedgerStatus['failure']
  let closing: Promise<void> | undefined

  const buffer = createWriteBehind<RequestRecord>({
    flushMs,
    maxBuffered,
    write: entries => {
      for (const { id, why, cause } of write(entries)) {
        rejected += 1
        log?.error({ id, err: cause }, `The ledger rejected part of a request: ${why}.`)
      }
      failure = undefined
    },
    onFailure: reportFailure,
    onLoss,
  })

  /** Runs a read after pending records are written. */
  async function reading<Result>(read: () => Result | Promise<Result>): Promise<Result> {
    buffer.flushIfHealthy()
    return naming(read)
  }

  /** Adds the file's name to the errors of a read. */
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
    const complete = [buffer.close(), budgets.close()].every(Boolean)
    database.close()
    if (!complete) throw unwritten()
  }

  return {
    record: buffer.push,
    flush: async () => {
      if (![buffer.flush(), budgets.flush()].every(Boolean)) throw unwritten()
    },
    recent: limit => reading(() => reader.recent(limit)),
    request: id => reading(() => reader.request(id)),
    requestOfGeneration: id => reading(() => reader.requestOfGeneration(id)),
    usage: (query, signal, keyId) => reading(() => readUsage(query, now(), signal, keyId)),
    decisions,
    prune: (beforeMs, signal) => reading(() => pruner.requests(beforeMs, signal)),
    pruneDecisions: (beforeMs, signal) => reading(() => pruner.decisions(beforeMs, signal)),
    estimated: (sinceMs, limit) => reading(() => charges.estimated(sinceMs, limit)),
    correct: (attempt, bill) => reading(() => charges.correct(attempt, bill)),
    status: () => ({ file, ...buffer.state(), rejected, failure }),
    tasks: namingFile(file, createTaskStore(database)),
    notes: namingFile(file, createAgentNotes(database)),
    reconciliations: namingFile(file, createReconciliations(database)),
    learned: namingFile(file, createLearned(database)),
    apiKeys: namingFile(file, createApiKeyStore(database)),
    budgets: namingFile(file, budgets.store),
    close: () => (closing ??= close()),
  }
}

/** The same functions; an error of the database becomes one that names the file and what to do. */
function namingFile<Functions extends object>(file: string, functions: Functions): Functions {
  const fail = (error: unknown): never => {
    throw ledgerFailure(file, error)
  }
  const named = Object.entries(functions).map(([name, call]: [string, (...args: unknown[]) => unknown]) => [
    name,
    (...args: unknown[]) => {
      try {
        const result = call(...args)
        return result instanceof Promise ? result.catch(fail) : result
      } catch (error) {
        return fail(error)
      }
    },
  ])
  return Object.fromEntries(named) as Functions
}

function closedError(file: string): GatewayError {
  return new GatewayError('ledger_unavailable', `The ledger ${file} is closed.`)
}
