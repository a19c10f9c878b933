import { readVarint, type ByteReader, type ByteWriter } from './varint.ts'

/** The header of one term's postings. */
export interface PostingCounts {
  /** Number of chunks with the term. */
  chunks: number
  /** Number of files with such a chunk. */
  files: number
  /** Number of files with the term in their path. */
  paths: number
}

/** The bytes of a term: its counts, then (chunk gap, impact) pairs, then (file gap, directory impact, name impact). */
export function writeCounts(out: ByteWriter, counts: PostingCounts): void {
  out.varint(counts.chunks)
  out.varint(counts.files)
  out.varint(counts.paths)
}

export function readCounts(reader: ByteReader): PostingCounts {
  return { chunks: readVarint(reader), files: readVarint(reader), paths: readVarint(reader) }
}

/**
 * The impact of a term in a text, in 255 steps: `tf / (tf + k1)`, BM25's saturation without the idf, which is known
 * only when all segments are. `frequency` is weighted by field and divided by the text's length norm.
 */
export function impactOf(frequency: number, k1: number): number {
  if (frequency <= 0) return 0
  return Math.max(1, Math.round((255 * frequency) / (frequency + k1)))
}

/** BM25's length norm against a fixed average length, so that a file's impacts never depend on other files. */
export function lengthNorm(length: number, typicalLength: number, b: number): number {
  return 1 - b + (b * length) / typicalLength
}

/** BM25's inverse document frequency, by files: a word repeated throughout one file is still rare. */
export function idf(having: number, of: number): number {
  return Math.log(1 + (Math.max(0, of - having) + 0.5) / (having + 0.5))
}
