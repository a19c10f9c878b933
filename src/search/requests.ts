import { z } from 'zod'

/** Inputs and outputs of the operations `retriv_init`, `retriv_search` and `search`, with their public names. */

const Bm25Options = z
  .object({
    k1: z.number().min(0).max(10).optional().describe('Term frequency saturation (BM25 k1); 1.5 by default.'),
    b: z.number().min(0).max(1).optional().describe('Length normalization (BM25 b); 0.75 by default.'),
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
      .describe('Weight of one occurrence, by position.'),
  })
  .describe('Ranking parameters; a change rebuilds the index.')

export const RetrivInitInput = z.object({
  directories: z
    .array(z.string().min(1))
    .min(1)
    .max(100)
    .describe('Folders to index; they replace those indexed earlier.'),
  exclude_patterns: z
    .array(z.string().min(1).max(1_000))
    .max(1_000)
    .optional()
    .describe('Patterns to exclude, in .gitignore syntax, at any depth.'),
  chunk_size: z.int().min(5).max(400).optional().describe('Maximum lines of a chunk; 40 by default.'),
  force_reindex: z.boolean().optional().describe('Read every file again, even if unchanged.'),
  bm25_options: Bm25Options.optional(),
})
export type RetrivInitInput = z.output<typeof RetrivInitInput>

export const RetrivInitOutput = z.object({
  directories: z.array(z.string()),
  files: z.int().describe('Files in the index.'),
  chunks: z.int(),
  files_indexed: z.int().describe('New or changed files.'),
  files_removed: z.int(),
  skipped: z.record(z.string(), z.int()).describe('Files skipped, by reason.'),
  skipped_examples: z.array(z.object({ path: z.string(), reason: z.string() })),
  index_bytes: z.int(),
  duration_ms: z.number(),
})
export type RetrivInitOutput = z.output<typeof RetrivInitOutput>

const query = z
  .string()
  .min(1)
  .max(4_000)
  .describe('Words, identifiers, "exact phrases", path:part, lang:name, symbol:name; a leading minus negates a filter.')
const limit = z.int().min(1).max(100).default(10).describe('Maximum number of files to return.')

export const RetrivSearchInput = z.object({ query, limit })
export type RetrivSearchInput = z.output<typeof RetrivSearchInput>

export const SearchInput = z.object({
  query,
  limit,
  offset: z.int().min(0).max(1_000).default(0).describe('Number of files to skip, for the next page.'),
  context_lines: z.int().min(0).max(50).default(0).describe('Context lines around each hit.'),
  max_tokens: z.int().min(50).max(200_000).optional().describe('Token budget for the lines of all hits together.'),
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
  symbol: z.string().describe('The definition that the lines belong to.'),
  lines: z.string(),
  score: z.number(),
  why: z.array(z.object({ field: MatchField, terms: z.array(z.string()) })),
})
export type SearchHit = z.output<typeof SearchHit>

export const SearchOutput = z.object({
  hits: z.array(SearchHit).describe('One per file, best first.'),
  ranking: z.enum(['lexical', 'hybrid']).describe('Hybrid when an embedding model was used.'),
  corrections: z
    .array(z.object({ term: z.string(), instead: z.array(z.string()) }))
    .describe('Words found in no file.'),
  indexing: z.boolean().describe('Whether the index is still being built; hits may be missing.'),
  truncated: z.boolean().describe('Whether hits or lines were omitted for the token budget.'),
})
export type SearchOutput = z.output<typeof SearchOutput>
