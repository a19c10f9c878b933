import path from 'node:path'
import Database from 'better-sqlite3'
import { GatewayError } from '../errors.ts'
import { createPrivateFile, createPrivateFolder } from '../private-files.ts'
import { migrations } from './migrations/index.ts'

/** "SGBX" in ASCII, at offset 68 of the file: identifies our files. */
const applicationId = 0x53474258

/** How long opening waits for another process that is migrating the same file. */
const openingBusyMs = 10_000

/** The write-ahead log is truncated to this size after a checkpoint. */
const logBytes = 64 * 1024 * 1024

/** Page cache: appending needs few pages, and better-sqlite3 would let it grow to 16 MB. */
const cacheKib = 4096

/**
 * Opens or creates the SQLite file at `file`, migrates its schema, and sets it to wait at most `busyMs` for a lock.
 * Throws `ledger_unavailable` naming the file when it is damaged, foreign, newer than this program, or not writable.
 */
export function openDatabase(file: string, busyMs: number): Database.Database {
  let database: Database.Database | undefined
  try {
    createPrivateFolder(path.dirname(file))
    if (file !== ':memory:') createPrivateFile(file)
    database = new Database(file, { timeout: openingBusyMs })
    migrate(database, file)
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.pragma('foreign_keys = ON')
    database.pragma(`cache_size = ${-cacheKib}`)
    database.pragma(`journal_size_limit = ${logBytes}`)
    database.pragma(`busy_timeout = ${busyMs}`)
    return database
  } catch (error) {
    database?.close()
    throw ledgerFailure(file, error)
  }
}

/**
 * Opens the SQLite file at `file` for reading beside whatever else uses it. Throws `ledger_unavailable` naming the file when it
 * is absent, damaged, foreign, or of another schema than this program's.
 */
export function openReadOnly(file: string): Database.Database {
  let database: Database.Database | undefined
  try {
    database = new Database(file, { readonly: true, fileMustExist: true, timeout: openingBusyMs })
    const { owner, version } = readHeader(database, file)
    if (owner !== applicationId) throw foreign(file)
    if (version < migrations.length) {
      throw refusal(
        file,
        `was written by an older Signalbox (schema ${version}). Start this one once with its DATA_DIR to update it.`,
      )
    }
    return database
  } catch (error) {
    database?.close()
    throw ledgerFailure(file, error)
  }
}

/** What SQLite or the file system threw, as a `GatewayError` that names the file and what to do; anything else as it is. */
export function ledgerFailure(file: string, error: unknown): unknown {
  const code = (error as { code?: unknown }).code
  if (!(error instanceof Error) || error instanceof GatewayError || typeof code !== 'string') return error
  const advice = remedies.find(([codes]) => codes.test(code))?.[1] ?? 'The message in parentheses is from the system.'
  return new GatewayError('ledger_unavailable', `The ledger ${file} failed (${code}: ${error.message}). ${advice}`, {
    cause: error,
  })
}

const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /^SQLITE_(CORRUPT|NOTADB)/,
    'The file is damaged: restore a backup, or move it away together with its -wal and -shm files to start with an empty one.',
  ],
  [/^SQLITE_(BUSY|LOCKED)/, 'Another process has locked it: stop that process or wait for it.'],
  [/^(SQLITE_FULL|ENOSPC)/, 'The disk is full: free some space.'],
  [
    /^(SQLITE_(CANTOPEN|READONLY|PERM)|EACCES|EPERM|EROFS|ENOTDIR|EEXIST)/,
    'Check that the file and its folder are writable.',
  ],
]

function migrate(database: Database.Database, file: string): void {
  // One write transaction, so that of two processes opening a new file the second finds the migration done.
  database
    .transaction(() => {
      const { owner, version } = readHeader(database, file)
      const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined
      if (owner !== applicationId && !(owner === 0 && isEmpty)) throw foreign(file)
      for (const migration of migrations.slice(version)) {
        database.exec(migration.sql)
        database.pragma(`user_version = ${migration.version}`)
      }
      if (owner !== applicationId) database.pragma(`application_id = ${applicationId}`)
    })
    .immediate()
}

/** Which program a file belongs to and which schema it has. Throws for a schema newer than this program. */
function readHeader(database: Database.Database, file: string): { owner: number; version: number } {
  const owner = number(database, 'application_id')
  const version = number(database, 'user_version')
  const newest = migrations.length
  if (owner === applicationId && version > newest) {
    throw refusal(
      file,
      `was written by a newer Signalbox (schema ${version}; this version supports up to ${newest}). Update Signalbox or use another folder.`,
    )
  }
  return { owner, version }
}

function foreign(file: string): GatewayError {
  return refusal(file, 'belongs to another program. Choose another file or folder.')
}

function refusal(file: string, message: string): GatewayError {
  return new GatewayError('ledger_unavailable', `The ledger ${file} ${message}`)
}

function number(database: Database.Database, pragma: string): number {
  return database.pragma(pragma, { simple: true }) as number
}
