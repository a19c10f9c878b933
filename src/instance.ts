import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { ConfigError } from './config/setting.ts'
import { createPrivateFile, createPrivateFolder, privateMode } from './private-files.ts'

/** What a running Signalbox publishes in its data directory for other processes. */
const Instance = z.object({
  pid: z.int(),
  /** When the process started, as its system reports it: a pid alone may by now belong to another program. */
  started: z.string(),
  /** `http://host:port` */
  url: z.string(),
  /** Lets processes of the same user call it, whatever API keys it requires. */
  token: z.string(),
  version: z.string(),
})
export type Instance = z.output<typeof Instance>

/** Another process has claimed the data directory; its address, if already published. */
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

/** The claim to be the only Signalbox of a data directory. */
export interface Claim {
  /** Publishes where it can be reached. */
  announce: (instance: Pick<Instance, 'url' | 'token' | 'version'>) => void
  release: () => void
}

export interface ClaimOptions {
  /** Check whether the process named in an old lock file still runs; false: any lock file is valid. */
  checkActiveProcess: boolean
  /** Remove the lock file of a process that crashed; false: report which file to remove. */
  removeStale: boolean
}

/**
 * Claims `dataDir` for this process; undefined when another process has it. Of any number of simultaneous attempts
 * exactly one succeeds, and a process that dies in any way loses its claim: the claim is an operating system lock on
 * one file, and the other file only names its holder. Throws `ConfigError` for a stale lock file that must not be
 * removed, and for a folder that cannot be created or written.
 */
export function claimInstance(dataDir: string, { checkActiveProcess, removeStale }: ClaimOptions): Claim | undefined {
  const lock = lockFile(path.join(dataDir, 'instance.lock'))
  if (lock === undefined) return undefined
  const file = instanceFile(dataDir)
  try {
    const before = readInstance(dataDir)
    if (before !== undefined) {
      // Some file systems have no locks; there the process itself is the only evidence.
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
      writeFileSync(draft, text, { mode: privateMode })
      chmodSync(draft, privateMode)
      renameSync(draft, file)
    },
    release() {
      rmSync(file, { force: true })
      lock.close()
    },
  }
}

/** The process that claimed `dataDir` and published its address; it may have ended since. */
export function readInstance(dataDir: string): Instance | undefined {
  const text = readOptional(instanceFile(dataDir))
  if (text === undefined) return undefined
  try {
    return Instance.parse(JSON.parse(text))
  } catch {
    // The file is renamed into place, so it is never partial; an invalid one is foreign and ignored.
    return undefined
  }
}

function instanceFile(dataDir: string): string {
  return path.join(dataDir, 'instance.json')
}

/** An exclusive lock that the kernel releases with the process. SQLite can take one on every system. */
function lockFile(file: string): Database.Database | undefined {
  const database = openLock(file)
  try {
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY') === true) return undefined
    throw error
  }
}

function openLock(file: string): Database.Database {
  const dataDir = path.dirname(file)
  try {
    createPrivateFolder(dataDir)
    createPrivateFile(file)
    return new Database(file, { timeout: 0 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConfigError(
      `DATA_DIR: ${dataDir} cannot be used (${code ?? message}); set it to a folder that this user may create and write`,
    )
  }
}

/** When a process started, in a system-specific format; undefined when there is no such process. */
function processStart(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined
  const stat = readOptional(`/proc/${pid}/stat`)
  if (stat !== undefined) {
    // The second field is the program's name and may contain spaces; the start time is the 20th after it.
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
