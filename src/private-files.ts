import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import path from 'node:path'

/** The mode of a file that only its owner may read. */
export const privateMode = 0o600

/** Creates a folder that only its owner may enter, and those above it; an existing one keeps its mode. */
export function createPrivateFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
  // One by one: below /proc the recursive option never returns.
  const above = path.dirname(folder)
  if (above !== folder) createPrivateFolder(above)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another process may have created it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error
  }
}

/**
 * Creates an empty file that only its owner may read; an existing one keeps its mode. SQLite takes an empty file for a new
 * database, and gives its write-ahead log the same mode.
 */
export function createPrivateFile(file: string): void {
  closeSync(openSync(file, 'a', privateMode))
}

/** Whether other users of this machine may enter a folder; false where modes mean nothing. */
export function isOpenToOthers(folder: string): boolean {
  return process.platform !== 'win32' && (statSync(folder).mode & 0o077) !== 0
}
