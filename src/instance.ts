import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { ConfigError } from './config.ts'

/** What a running Signalbox tells others that find its data directory. */
const Instance = z.object({
  pid: z.int(),
  /** When the process started, as its system says it: a pid alone may by now be another program's. */
  started: z.string(),
  /** `http://host:port` */
  url: z.string(),
  /** Lets processes of the same user call it, whatever other keys it wants. */
  token: z.string(),
  version: z.string(),
})
export type Instance = z.output<typeof Instance>

/** Another process has the data directory; where it can be reached, if it has said so yet. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning'
  readonly instance: Instance | undefined

  constructor(instance: Instance | undefined) {
    super(
      instance === undefined
        ? 'Another Signalbox is starting with this DATA_DIR.'
        : `Signalbox already runs at ${instance.url} (process ${instance.pid}) with this DATA_DIR.`,
    )
    this.instance = instance
  }
}

/** The right to be the one Signalbox of a data directory. */
export interface Claim {
  /** Tells the others where it can be reached. */
  announce: (instance: Pick<Instance, 'url' | 'token' | 'version'>) => void
  release: () => void
}

export interface ClaimOptions {
  /** Look whether the process that an old lock file names still runs; without it, any lock file counts. */
  checkActiveProcess: boolean
  /** Take over from a process that ended without cleaning up; without it, say which file to remove. */
  removeStale: boolean
}

/**
 * Claims `dataDir` for this process; undefined when another process has it. Of any number that try at the same instant exactly
 * one succeeds, and a process that dies in whatever way loses its claim with it: the claim is a lock of the operating system
 * on one file, and the other file only says who holds it. Throws `ConfigError` for a stale lock file that must not be removed.
 */
export function claimInstance(dataDir: string, { checkActiveProcess, removeStale }: ClaimOptions): Claim | undefined {
  mkdirSync(dataDir, { recursive: true })
  const lock = lockFile(path.join(dataDir, 'instance.lock'))
  if (lock === undefined) return undefined
  const file = instanceFile(dataDir)
  try {
    const before = readInstance(dataDir)
    if (before !== undefined) {
      // File systems without locks exist; there the process itself is the only sign.
      const runs = checkActiveProcess ? processStart(before.pid) === before.started : true
      if (runs) {
        lock.close()
        return undefined
      }
      if (!removeStale) {
        throw new ConfigError(
          `${file} was left by process ${before.pid}, which has ended: remove it, or set REMOVE_STALE_LOCK_FILES=true`,
        )
      }
    }
  } catch (error) {
    lock.close()
    throw error
  }
  return {
    announce(instance) {
      const text = JSON.stringify({ pid: process.pid, started: processStart(process.pid), ...instance })
      const draft = `${file}.${process.pid}`
      writeFileSync(draft, text, { mode: 0o600 })
      chmodSync(draft, 0o600)
      renameSync(draft, file)
    },
    release() {
      rmSync(file, { force: true })
      lock.close()
    },
  }
}

/** Who has claimed `dataDir` and said where it is; it may have ended since. */
export function readInstance(dataDir: string): Instance | undefined {
  const text = readOptional(instanceFile(dataDir))
  if (text === undefined) return undefined
  try {
    return Instance.parse(JSON.parse(text))
  } catch {
    // Half a file cannot be, since it is renamed into place; so it is not ours, and says nothing.
    return undefined
  }
}

function instanceFile(dataDir: string): string {
  return path.join(dataDir, 'instance.json')
}

/** An exclusive lock that the kernel drops with the process. SQLite knows how to take one on every system. */
function lockFile(file: string): Database.Database | undefined {
  const database = new Database(file, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY') === true) return undefined
    throw error
  }
}

/** When a process started, in whatever words its system has for it; undefined when there is no such process. */
function processStart(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined
  const stat = readOptional(`/proc/${pid}/stat`)
  if (stat !== undefined) {
    // The second field is the program's name and may hold spaces; the start time is the 20th after it.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return `${readOptional('/proc/sys/kernel/random/boot_id')?.trim() ?? ''} ${ticks ?? ''}`
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
