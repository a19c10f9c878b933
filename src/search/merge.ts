import { createChunkColumns } from './chunk-columns.ts'
import { readCounts, writeCounts } from './postings.ts'
import { writeSegment, type IndexedFile, type Segment } from './segment-file.ts'
import { createByteWriter, readVarint } from './varint.ts'

/** A segment to be merged, and its deleted files. */
export interface MergePart {
  segment: Segment
  dead: ReadonlySet<number>
}

/** Writes the remaining files of several segments as one, term by term, so that memory does not grow with the postings. */
export function mergeSegments(file: string, parts: readonly MergePart[]): void {
  const files: IndexedFile[] = []
  const firstChunks: number[] = [0]
  const chunks = createChunkColumns()
  const moves = parts.map(({ segment, dead }) => {
    const fileTo = new Int32Array(segment.fileCount).fill(-1)
    const chunkTo = new Int32Array(segment.chunkCount).fill(-1)
    const place = segment.chunkReader()
    for (let from = 0; from < segment.fileCount; from++) {
      if (dead.has(from)) continue
      fileTo[from] = files.length
      files.push(segment.file(from))
      for (let chunk = segment.firstChunks[from]!; chunk < segment.firstChunks[from + 1]!; chunk++) {
        chunkTo[chunk] = chunks.length
        chunks.push(place(chunk))
      }
      firstChunks.push(chunks.length)
    }
    return { segment, fileTo, chunkTo }
  })
  writeSegment(file, {
    files,
    firstChunks: Uint32Array.from(firstChunks),
    chunks,
    symbols: mergedSymbols(parts),
    terms: () => mergedTerms(moves),
  })
}

interface Move {
  segment: Segment
  fileTo: Int32Array
  chunkTo: Int32Array
}

function* mergedTerms(moves: readonly Move[]): Generator<{ term: string; payload: Uint8Array }> {
  const cursors = moves.map(move => ({
    ...move,
    fileOf: move.segment.fileOf(),
    entries: move.segment.entries(),
    payload: noBytes,
  }))
  const heads: (string | undefined)[] = []
  const step = (index: number) => {
    const cursor = cursors[index]!
    const next = cursor.entries.next()
    heads[index] = next.done === true ? undefined : next.value.term
    cursor.payload = next.done === true ? noBytes : next.value.payload
  }
  cursors.forEach((_, index) => step(index))
  const out = createByteWriter(1 << 16)
  const chunkPart = createByteWriter(1 << 16)
  const pathPart = createByteWriter()
  for (;;) {
    const term = minOf(heads)
    if (term === undefined) return
    chunkPart.clear()
    pathPart.clear()
    const counts = { chunks: 0, files: 0, paths: 0 }
    let lastChunk = 0
    let lastPath = 0
    for (const [index, { fileTo, chunkTo, fileOf, payload }] of cursors.entries()) {
      if (heads[index] !== term) continue
      const reader = { bytes: payload, position: 0 }
      const from = readCounts(reader)
      let lastFile = -1
      for (let left = from.chunks, chunk = 0; left > 0; left--) {
        chunk += readVarint(reader)
        const impact = reader.bytes[reader.position++]!
        const moved = chunkTo[chunk] ?? -1
        if (moved < 0) continue
        chunkPart.varint(moved - lastChunk)
        chunkPart.byte(impact)
        lastChunk = moved
        counts.chunks++
        const file = fileOf[chunk]!
        if (file !== lastFile) counts.files++
        lastFile = file
      }
      for (let left = from.paths, file = 0; left > 0; left--) {
        file += readVarint(reader)
        const moved = fileTo[file] ?? -1
        if (moved >= 0) {
          pathPart.varint(moved - lastPath)
          pathPart.byte(reader.bytes[reader.position]!)
          pathPart.byte(reader.bytes[reader.position + 1]!)
          lastPath = moved
          counts.paths++
        }
        reader.position += 2
      }
      step(index)
    }
    if (counts.chunks + counts.paths === 0) continue
    out.clear()
    writeCounts(out, counts)
    out.bytes(chunkPart.view())
    out.bytes(pathPart.view())
    yield { term, payload: out.view() }
  }
}

const noBytes: Uint8Array = new Uint8Array()

/** Merges the parts' sorted symbols, without duplicates. */
function* mergedSymbols(parts: readonly MergePart[]): Generator<string> {
  const cursors = parts.map(({ segment }) => ({
    textOf: segment.symbolReader(),
    count: segment.symbolLetters().length,
    position: 0,
  }))
  const heads = cursors.map(({ textOf, count }) => (count > 0 ? textOf(0) : undefined))
  for (;;) {
    const least = minOf(heads)
    if (least === undefined) return
    yield least
    cursors.forEach((cursor, index) => {
      if (heads[index] !== least) return
      heads[index] = ++cursor.position < cursor.count ? cursor.textOf(cursor.position) : undefined
    })
  }
}

function minOf(texts: readonly (string | undefined)[]): string | undefined {
  let least: string | undefined
  for (const text of texts) if (text !== undefined && (least === undefined || text < least)) least = text
  return least
}
