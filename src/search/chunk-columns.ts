import { createGrowingArray } from './growing.ts'
import type { NumberArray } from './term-file.ts'
import { createByteWriter } from './varint.ts'

/** Position of a chunk in its file. Lines are zero-based and inclusive. */
export interface ChunkPlace {
  first: number
  last: number
  /** Offset of its first character: in bytes of the file, or in the decoded text where the file cannot be read in place. */
  start: number
  symbol: string
}

/** Chunks of a segment being written, as columns: a million of them as objects would take 150 MB. */
export interface ChunkColumns {
  push(chunk: ChunkPlace): void
  readonly length: number
  arrays(): Record<string, NumberArray>
  /** Clears the chunks and keeps the memory. */
  clear(): void
}

export function createChunkColumns(): ChunkColumns {
  const first = createGrowingArray(Uint32Array)
  const last = createGrowingArray(Uint32Array)
  const start = createGrowingArray(Uint32Array)
  const symbols = createTextColumn()
  return {
    push(chunk) {
      first.push(chunk.first)
      last.push(chunk.last)
      start.push(chunk.start)
      symbols.push(chunk.symbol)
    },
    get length() {
      return first.length
    },
    arrays: () => ({
      'chunk.first': first.view(),
      'chunk.last': last.view(),
      'chunk.start': start.view(),
      'chunk.symbol': symbols.bytes(),
      'chunk.symbolEnd': symbols.ends(),
    }),
    clear() {
      for (const column of [first, last, start, symbols]) column.clear()
    },
  }
}

/** Texts of a file being written, concatenated, and where each ends. */
export function createTextColumn() {
  const out = createByteWriter()
  const ends = createGrowingArray(Uint32Array)
  return {
    push(text: string) {
      out.text(text)
      ends.push(out.length)
    },
    bytes: () => out.view() as Uint8Array,
    ends: () => ends.view(),
    clear() {
      out.clear()
      ends.clear()
    },
  }
}
