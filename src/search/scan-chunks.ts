import { chunksOf, type Chunk } from './chunk.ts'
import type { IndexOptions } from './options.ts'
import { linesOf, outlineOf } from './outline.ts'
import { scan, type notAscii } from './scan.ts'
import type { IndexedFile } from './segment-file.ts'

/** The consumer of a file's text, in order. */
export interface ChunkSink {
  /** Returns the number of words. */
  countIdentifier: (text: string, start: number, end: number, hash: number | typeof notAscii, weight: number) => number
  /** `start` is the offset in the file, `length` the number of words. */
  endChunk: (chunk: Chunk, start: number, length: number) => void
}

/** Divides a file's text into chunks and passes on their identifiers, each weighted by where it stands. */
export function scanChunks(
  file: IndexedFile,
  text: string,
  { chunkSize, weights }: IndexOptions,
  { countIdentifier, endChunk }: ChunkSink,
): void {
  const { language } = file
  const lines = linesOf(text)
  const chunks = chunksOf(lines, outlineOf(text, lines, language), chunkSize)
  const fileOffset = fileOffsetsOf(file, text)
  let current = 0
  let length = 0
  const endOf = (index: number) => lines.starts[chunks[index]!.last + 1] ?? Infinity
  let end = chunks.length === 0 ? Infinity : endOf(0)
  const endCurrent = () => {
    endChunk(chunks[current]!, fileOffset(lines.starts[chunks[current]!.first]!), length)
    length = 0
    current++
  }
  scan(text, language, (start, stop, hash, inComment) => {
    while (start >= end) {
      endCurrent()
      end = endOf(current)
    }
    length += countIdentifier(text, start, stop, hash, inComment ? weights.comment : weights.body)
  })
  while (current < chunks.length) endCurrent()
}

/** Converts ascending offsets in a text to offsets in its file, which may start with a byte order mark. */
function fileOffsetsOf({ sizeBytes, inPlace }: IndexedFile, text: string): (offset: number) => number {
  if (!inPlace || text.length === sizeBytes) return offset => offset
  let fileOffset = sizeBytes - Buffer.byteLength(text)
  let done = 0
  return offset => {
    fileOffset += Buffer.byteLength(text.slice(done, offset))
    done = offset
    return fileOffset
  }
}
