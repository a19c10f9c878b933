import { z } from 'zod'
import { PriceView } from '../accounting/price-fields.ts'
import type { Usage } from '../wire/usage.ts'
import { costSources, outcomes } from './record.ts'

const count = z.int().min(0)
const milliseconds = z.number().describe('Milliseconds.')
const epochMs = z.int().describe('Milliseconds since the epoch.')

/** The canonical token counts; see `Usage`. */
export const tokenColumns = {
  input_tokens: count.describe('Prompt tokens neither read from nor written to a cache.'),
  cache_read_tokens: count,
  cache_write_tokens: count,
  output_tokens: count.describe('All generated tokens, reasoning included.'),
  reasoning_tokens: count,
  cache_write_1h_tokens: count.describe('The part of cache_write_tokens that is kept for an hour.'),
  audio_input_tokens: count.describe('The part of the prompt that is sound.'),
  image_input_tokens: count.describe('The part of the prompt that is pictures.'),
  audio_output_tokens: count.describe('The part of output_tokens that is sound.'),
  image_output_tokens: count.describe('The part of output_tokens that is pictures.'),
} as const
type TokenColumn = keyof typeof tokenColumns

export const tokenNames = Object.keys(tokenColumns) as TokenColumn[]

/** A usage in these columns. */
export function tokenCells(usage: Usage): Record<TokenColumn, number> {
  return {
    input_tokens: usage.inputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    output_tokens: usage.outputTokens,
    reasoning_tokens: usage.reasoningTokens,
    cache_write_1h_tokens: usage.cacheWrite1hTokens ?? 0,
    audio_input_tokens: usage.audioInputTokens ?? 0,
    image_input_tokens: usage.imageInputTokens ?? 0,
    audio_output_tokens: usage.audioOutputTokens ?? 0,
    image_output_tokens: usage.imageOutputTokens ?? 0,
  }
}

const consumedColumns = {
  ...tokenColumns,
  usage_estimated: z.boolean().describe('The upstream reported no usage; these are estimates.'),
  partial: z.boolean().describe('It ended early; tokens and cost are as far as it got.'),
  cost_usd: z.number().nullable().describe('In total; null where the cost is unknown.'),
  energy_usd: z.number().describe('Part of the cost: electricity of a local model.'),
  byok_cost_usd: z.number().describe("Part of the cost: billed by the model's provider to your own key there (BYOK)."),
} as const

/** One settled request. The field names are the table's columns. */
export const RequestRow = z.object({
  id: z.string(),
  created_at: epochMs,
  endpoint: z.string(),
  key_id: z.string(),
  session: z.string().nullable(),
  requested_model: z.string(),
  provider: z.string().nullable(),
  model: z
    .string()
    .nullable()
    .describe('The model that answered, or was answering when the caller left; null when none did.'),
  upstream_model: z.string().nullable(),
  tier: z.enum(['local', 'remote']).nullable(),
  outcome: z.enum(outcomes),
  failure_code: z.string().nullable(),
  status: z.int().describe('HTTP status sent to the caller.'),
  stream: z.boolean(),
  attempts: count,
  ...consumedColumns,
  ttft_ms: milliseconds.nullable(),
  duration_ms: milliseconds,
  queue_ms: milliseconds.nullable(),
  route_ms: milliseconds.nullable(),
  reason: z.string().nullable(),
  caller_request_id: z.string().nullable().describe('The caller’s own id of the request: its `x-request-id`.'),
  tags: z.string().nullable().describe('The request’s tags, as a JSON list.'),
  task: z.string().nullable().describe('The task that it belongs to.'),
  reference_model: z.string().nullable().describe('The model that the cost is compared with.'),
  reference_cost_usd: z.number().nullable().describe('What the tokens of the answer would have cost on that model.'),
})
export type RequestRow = z.output<typeof RequestRow>

/** The columns of a call, but for the price, which is in a table of its own. */
const attemptCells = {
  ordinal: count,
  provider: z.string(),
  model: z.string(),
  started_at: epochMs,
  outcome: z.enum(outcomes),
  failure_code: z.string().nullable(),
  message: z.string().nullable(),
  status: z.int().nullable(),
  ttft_ms: milliseconds.nullable(),
  duration_ms: milliseconds,
  ...consumedColumns,
  generation_id: z.string().nullable().describe('The provider’s own id of the call.'),
  cost_source: z
    .enum(costSources)
    .nullable()
    .describe('What the cost is known by: the provider’s own report, or tokens times the price of this source.'),
  price_at: epochMs.nullable().describe('When the price was read from its source.'),
} as const
export const attemptColumns: readonly string[] = Object.keys(attemptCells)

/** One call of one model on behalf of a request. */
export const AttemptRow = z.object({
  ...attemptCells,
  price: PriceView.nullable().describe('What the model cost then, in USD per million tokens.'),
})
export type AttemptRow = z.output<typeof AttemptRow>

/** Everything the ledger stores about one request. */
export const StoredRequest = z.object({
  request: RequestRow,
  attempts: z.array(AttemptRow),
  decision: z.unknown().describe('As the router stored it; null where there is none.'),
})
export type StoredRequest = z.output<typeof StoredRequest>

/** A row as SQLite stores it, without booleans. */
export type Stored<Row> = { [Column in keyof Row]: Row[Column] extends boolean ? 0 | 1 : Row[Column] }
