import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { decode, isGenerated, isWide, type SkipReason } from './decode.ts'
import { languageOf } from './languages.ts'
import type { IndexedFile } from './segment-file.ts'
import { withoutSecrets } from './secrets.ts'
import { toSlashes } from './walk.ts'

/** A file read for indexing: its text, or that it is unchanged, or why it is skipped. */
export type Source = { indexed: IndexedFile; text: string } | { unchanged: true } | { skip: SkipReason }

/** Size and time show that a file may have changed; its content hash decides. `before` is its entry in the index. */
export function readSource(file: string, root: string, maxBytes: number, before: IndexedFile | undefined): Source {
  const read = readFile(file, { maxBytes, before })
  if (!('bytes' in read)) return read
  const contentHash = hash('sha1', read.bytes).slice(0, 16)
  if (before?.hash === contentHash) return { unchanged: true }
  const decoded = decode(read.bytes)
  if ('skip' in decoded) return decoded
  const path = toSlashes(file)
  if (isGenerated(path, decoded.text)) return { skip: 'generated' }
  const language = languageOf(path, decoded.text.slice(0, 80))
  const text = withoutSecrets(decoded.text, language)
  if (text === undefined) return { skip: 'secret' }
  const { sizeBytes, modifiedMs } = read
  return {
    indexed: {
      path,
      rootLength: root.length + 1,
      sizeBytes,
      modifiedMs,
      hash: contentHash,
      inPlace: decoded.text.length === read.bytes.length || (isUtf8(read.bytes) && !isWide(read.bytes)),
      language,
    },
    text,
  }
}

type Bytes = { bytes: Buffer; sizeBytes: number; modifiedMs: number }

/** Which bytes of a file to read; `before` saves reading one that has not changed. */
export interface ReadOptions {
  maxBytes: number
  before?: IndexedFile | undefined
  from?: number
  to?: number
}

/** The current bytes of a file. */
export function readFile(
  file: string,
  { maxBytes, before, from = 0, to = Infinity }: ReadOptions,
): Bytes | Exclude<Source, { text: string }> {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, 'r')
    const { size, mtimeMs, isFile } = statOf(descriptor)
    if (!isFile) return { skip: 'not_a_file' }
    if (size > maxBytes) return { skip: 'too_large' }
    if (before?.sizeBytes === size && before.modifiedMs === mtimeMs) return { unchanged: true }
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(size, to) - from))
    let filled = 0
    for (let got = 1; got > 0 && filled < bytes.length; filled += got) {
      got = readSync(descriptor, bytes, filled, bytes.length - filled, from + filled)
    }
    return { bytes: bytes.subarray(0, filled), sizeBytes: size, modifiedMs: mtimeMs }
  } catch {
    return { skip: 'unreadable' }
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function statOf(descriptor: number): { size: number; mtimeMs: number; isFile: boolean } {
  const stats = fstatSync(descriptor)
  return { size: stats.size, mtimeMs: stats.mtimeMs, isFile: stats.isFile() }
}
