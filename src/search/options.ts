import { z } from 'zod'

/** How text becomes an index. A change of any of these makes the index on disk another one, and it is rebuilt. */
export const IndexOptions = z.object({
  /** Lines of the longest chunk. */
  chunkSize: z.int().min(5).max(400).default(40),
  /** How soon repetitions of a word stop counting (BM25's k1). */
  k1: z.number().min(0).max(10).default(1.5),
  /** How much a long chunk is held against its words (BM25's b). */
  b: z.number().min(0).max(1).default(0.75),
  /** What one occurrence counts, by where it stands. */
  weights: z
    .object({
      symbol: z.number().min(0).max(50).default(4),
      comment: z.number().min(0).max(50).default(1),
      body: z.number().min(0).max(50).default(1),
      directory: z.number().min(0).max(50).default(1.2),
      fileName: z.number().min(0).max(50).default(1.8),
      history: z.number().min(0).max(50).default(0.7),
    })
    .prefault({}),
  /** Larger files are left out. */
  maxFileBytes: z.int().min(1).default(1_048_576),
  /** A walk stops after this many files. */
  maxFiles: z.int().min(1).default(500_000),
  /** Commits of each root's git history that are read, newest first; 0 leaves the history out. */
  historyCommits: z.int().min(0).max(100_000).default(5_000),
})
export type IndexOptions = z.output<typeof IndexOptions>

/** Identifies the way an index was made: indexes with equal marks may be mixed. */
export function markOf(options: IndexOptions): string {
  return JSON.stringify([indexVersion, options])
}

// Raised by every change to the words, chunks or formats, so that an older index rebuilds itself.
const indexVersion = 3
