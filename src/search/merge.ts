import { readCounts, writeCounts } from './postings.ts'
import { writeSegment, type ChunkPlace, type IndexedFile, type Segment } from './segment-file.ts'
import { byteWriter, readVarint } from './varint.ts'

/** A segment to be merged, and its files that no longer count. */
export interface MergePart {
  segment: Segment
  dead: ReadonlySet<number>
}

/** Writes the living files of several segments as one, term by term, so that memory does not grow with the postings. */
export function mergeSegments(file: string, parts: readonly MergePart[]): void {
  const files: IndexedFile[] = []
  const firstChunks: number[] = [0]
  const chunks: ChunkPlace[] = []
  const moves = parts.map(({ segment, dead }) => {
    const fileTo = new Int32Array(segment.fileCount).fill(-1)
    const chunkTo = new Int32Array(segment.chunkCount).fill(-1)
    for (let from = 0; from < segment.fileCount; from++) {
      if (dead.has(from)) continue
      fileTo[from] = files.length
      files.push(segment.file(from))
      for (let chunk = segment.firstChunks[from]!; chunk < segment.firstChunks[from + 1]!; chunk++) {
        chunkTo[chunk] = chunks.length
        chunks.push(segment.chunk(chunk))
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
    entries: move.segment.entries(),
    head: undefined as Entry | undefined,
  }))
  const step = (cursor: (typeof cursors)[number]) => {
    const next = cursor.entries.next()
    cursor.head = next.done === true ? undefined : next.value
  }
  for (const cursor of cursors) step(cursor)
  const out = byteWriter(1 << 16)
  const chunkPart = byteWriter(1 << 16)
  const pathPart = byteWriter()
  for (;;) {
    let term: string | undefined
    for (const { head } of cursors) if (head !== undefined && (term === undefined || head.term < term)) term = head.term
    if (term === undefined) return
    chunkPart.clear()
    pathPart.clear()
    const counts = { chunks: 0, files: 0, paths: 0 }
    let lastChunk = 0
    let lastPath = 0
    for (const cursor of cursors) {
      if (cursor.head?.term !== term) continue
      const { fileTo, chunkTo } = cursor
      const reader = { bytes: cursor.head.payload, at: 0 }
      const from = readCounts(reader)
      let lastFile = -1
      for (let left = from.chunks, chunk = 0; left > 0; left--) {
        chunk += readVarint(reader)
        const impact = reader.bytes[reader.at++]!
        const moved = chunkTo[chunk] ?? -1
        if (moved < 0) continue
        chunkPart.varint(moved - lastChunk)
        chunkPart.byte(impact)
        lastChunk = moved
        counts.chunks++
        const file = cursor.segment.fileOf[chunk]!
        if (file !== lastFile) counts.files++
        lastFile = file
      }
      for (let left = from.paths, file = 0; left > 0; left--) {
        file += readVarint(reader)
        const moved = fileTo[file] ?? -1
        if (moved >= 0) {
          pathPart.varint(moved - lastPath)
          pathPart.byte(reader.bytes[reader.at]!)
          pathPart.byte(reader.bytes[reader.at + 1]!)
          lastPath = moved
          counts.paths++
        }
        reader.at += 2
      }
      step(cursor)
    }
    if (counts.chunks + counts.paths === 0) continue
    out.clear()
    writeCounts(out, counts)
    out.bytes(chunkPart.view())
    out.bytes(pathPart.view())
    yield { term, payload: out.view() }
  }
}

interface Entry {
  term: string
  payload: Uint8Array
}

function mergedSymbols(parts: readonly MergePart[]): string[] {
  const symbols = new Set<string>()
  for (const { segment } of parts) {
    for (let symbol = segment.symbolLetters().length - 1; symbol >= 0; symbol--) symbols.add(segment.symbolText(symbol))
  }
  return [...symbols].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}
