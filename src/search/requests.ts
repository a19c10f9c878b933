import { z } from 'zod'

/** Inputs and outputs of the operations `retriv_init`, `retriv_search` and `search`, names as agents know them. */

const Bm25Options = z
  .object({
    k1: z.number().min(0).max(10).optional().describe('How late repetitions of a word stop counting; 1.5 by default.'),
    b: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('How much long chunks are held against their words; 0.75 by default.'),
    field_weights: z
      .object({
        symbol: z.number().min(0).max(50).optional(),
        comment: z.number().min(0).max(50).optional(),
        body: z.number().min(0).max(50).optional(),
        directory: z.number().min(0).max(50).optional(),
        file_name: z.number().min(0).max(50).optional(),
        history: z.number().min(0).max(50).optional(),
      })
      .optional()
      .describe('What one occurrence counts, by where it stands.'),
  })
  .describe('Ranking parameters; a change rebuilds the index.')

export const RetrivInitInput = z.object({
  directories: z
    .array(z.string().min(1))
    .min(1)
    .max(100)
    .describe('Folders to index; they replace those indexed before.'),
  exclude_patterns: z
    .array(z.string().min(1).max(1_000))
    .max(1_000)
    .optional()
    .describe('Left out, in the syntax of .gitignore, at any depth.'),
  chunk_size: z.int().min(5).max(400).optional().describe('Lines of the longest chunk; 40 by default.'),
  force_reindex: z.boolean().optional().describe('Read every file again, even if unchanged.'),
  bm25_options: Bm25Options.optional(),
})
export type RetrivInitInput = z.output<typeof RetrivInitInput>

export const RetrivInitOutput = z.object({
  directories: z.array(z.string()),
  files: z.int().describe('Files in the index.'),
  chunks: z.int(),
  files_indexed: z.int().describe('Files that were new or had changed.'),
  files_removed: z.int(),
  skipped: z.record(z.string(), z.int()).describe('Files left out, by reason.'),
  skipped_examples: z.array(z.object({ path: z.string(), reason: z.string() })),
  index_bytes: z.int(),
  duration_ms: z.number(),
})
export type RetrivInitOutput = z.output<typeof RetrivInitOutput>

const query = z
  .string()
  .min(1)
  .max(4_000)
  .describe(
    'Words, identifiers, "exact phrases", path:part, lang:name, symbol:name; a minus in front of a filter turns it round.',
  )
const limit = z.int().min(1).max(100).default(10).describe('Most files to return.')

export const RetrivSearchInput = z.object({ query, limit })
export type RetrivSearchInput = z.output<typeof RetrivSearchInput>

export const SearchInput = z.object({
  query,
  limit,
  offset: z.int().min(0).max(1_000).default(0).describe('Files to pass over, for the next page.'),
  context_lines: z.int().min(0).max(50).default(0).describe('Lines to add around each hit.'),
  max_tokens: z.int().min(50).max(200_000).optional().describe('Budget for the lines of all hits together.'),
})
export type SearchInput = z.input<typeof SearchInput>

export const MatchField = z.enum(['symbol', 'file_name', 'directory', 'text'])
export type MatchField = z.output<typeof MatchField>

export const SearchHit = z.object({
  path: z.string().describe('Relative to root.'),
  root: z.string(),
  language: z.string(),
  start_line: z.int().describe('One-based; end_line is included.'),
  end_line: z.int(),
  symbol: z.string().describe('Definition the lines belong to.'),
  lines: z.string(),
  score: z.number(),
  why: z.array(z.object({ field: MatchField, terms: z.array(z.string()) })),
})
export type SearchHit = z.output<typeof SearchHit>

export const SearchOutput = z.object({
  hits: z.array(SearchHit).describe('One a file, best first.'),
  ranking: z.enum(['lexical', 'hybrid']).describe('Hybrid when an embedding model took part.'),
  corrections: z.array(z.object({ term: z.string(), instead: z.array(z.string()) })).describe('Words no file has.'),
  indexing: z.boolean().describe('Whether the index is still being made; hits may be missing.'),
  truncated: z.boolean().describe('Whether the token budget left hits or lines out.'),
})
export type SearchOutput = z.output<typeof SearchOutput>
