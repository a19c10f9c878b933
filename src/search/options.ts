import { z } from 'zod'

/** How text becomes an index. A change of any of these invalidates the index on disk, and it is rebuilt. */
export const IndexOptions = z.object({
  /** Maximum lines of a chunk. */
  chunkSize: z.int().min(5).max(400).default(40),
  /** How quickly repetitions of a word saturate (BM25's k1). */
  k1: z.number().min(0).max(10).default(1.5),
  /** How much the length of a chunk reduces its score (BM25's b). */
  b: z.number().min(0).max(1).default(0.75),
  /** Weight of one occurrence, by its position. */
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
  /** Larger files are not indexed. */
  maxFileBytes: z.int().min(1).default(1_048_576),
  /** A walk stops after this many files. */
  maxFiles: z.int().min(1).default(500_000),
  /** Number of commits read from each root's git history, newest first; 0 ignores the history. */
  historyCommits: z.int().min(0).max(100_000).default(5_000),
})
export type IndexOptions = z.output<typeof IndexOptions>

/** Identifies the parameters of an index: indexes with equal marks may be mixed. */
export function markOf(options: IndexOptions): string {
  return JSON.stringify([indexVersion, options])
}

// Increment with every change to tokenization, chunking, formats or what is left out, so that an older index is rebuilt.
const indexVersion = 4
