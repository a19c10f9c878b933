import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'

/** A file and its size in bytes. */
export interface SizedFile {
  /** Relative to the folder listed, with slashes. */
  file: string
  bytes: number
}

/** Every file in a folder, except those of packages nested in it. */
export function filesOfPackage(folder: string): SizedFile[] {
  return filesBelow(folder).filter(({ file }) => !file.startsWith('node_modules/'))
}

/** Bytes of all files in a folder; 0 if it is missing. */
export function bytesIn(folder: string): number {
  return filesBelow(folder).reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Millions of bytes, to a tenth. */
export function megabytes(bytes: number): number {
  return Number((bytes / 1e6).toFixed(1))
}

function filesBelow(folder: string): SizedFile[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => {
      const file = path.join(entry.parentPath, entry.name)
      return { file: path.relative(folder, file).split(path.sep).join('/'), bytes: statSync(file).size }
    })
}
