import { closeSync, existsSync, fstatSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { seededRandom } from '../../src/router/chance.ts'

const ledgerFiles = ['ledger.db', 'ledger.db-wal', 'ledger.db-shm']

/** Takes a ledger out of the way, as its error message says. */
export function moveAway(folder: string): void {
  for (const name of ledgerFiles) {
    const file = path.join(folder, name)
    if (existsSync(file)) renameSync(file, `${file}.damaged`)
  }
}

/** Bytes. */
export function sizeOf(file: string): number {
  const opened = openSync(file, 'r')
  try {
    return fstatSync(opened).size
  } finally {
    closeSync(opened)
  }
}

/** Writes noise over a part of a file. */
export function overwrite(file: string, from: number, length: number): void {
  const random = seededRandom(5)
  const noise = Buffer.from(Array.from({ length: Math.max(0, Math.floor(length)) }, () => Math.floor(256 * random())))
  const opened = openSync(file, 'r+')
  try {
    writeSync(opened, noise, 0, noise.length, Math.floor(from))
  } finally {
    closeSync(opened)
  }
}

/** Writes until there is no space left. */
export function fill(file: string): void {
  for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 4)) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}
