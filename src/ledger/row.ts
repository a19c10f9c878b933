import { z } from 'zod'
import { outcomes } from './record.ts'

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
} as const

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
})
export type RequestRow = z.output<typeof RequestRow>

/** One call of one model on behalf of a request. */
export const AttemptRow = z.object({
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
