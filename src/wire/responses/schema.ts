import { z } from 'zod'
import { ModelName } from '../model-name.ts'
import { TokenLimit } from '../token-limit.ts'
import type { FailureCode, GatewayError } from '../../errors.ts'
import { asObjects, type JsonObject } from '../../json.ts'
import type { Usage } from '../usage.ts'
import { countsIn, usageFormats } from '../usage-formats.ts'

const Item = z.looseObject({ type: z.string().optional() })
const Tool = z.looseObject({ type: z.string(), name: z.string().optional() })

/** OpenAI's Responses, parsed loosely: the envelope is checked here, items where they are translated. */
export const ResponsesRequest = z.looseObject({
  model: ModelName.default('auto'),
  input: z.union([z.string(), z.array(Item)]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: TokenLimit,
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish() }).nullish(),
  metadata: z.looseObject({}).nullish(),
  previous_response_id: z.string().nullish(),
  store: z.boolean().nullish(),
})
export type ResponsesRequest = z.output<typeof ResponsesRequest>
export type ResponsesItem = z.output<typeof Item>

/** The items of `input`; a string stands for one user message. */
export function inputItems(input: unknown): ResponsesItem[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : asObjects(input)
}

/** Items as they are listed: each with an id, and the content of messages in parts. */
export function listedItems(items: readonly JsonObject[], responseId: string): JsonObject[] {
  return items.map((item, index) => {
    const { type = 'message', id = `item_${responseId}_${index}`, content } = item
    if (type !== 'message') return { ...item, id, type }
    const partType = item['role'] === 'assistant' ? 'output_text' : 'input_text'
    const parts = typeof content === 'string' ? [{ type: partType, text: content }] : content
    return { status: 'completed', ...item, id, type, content: parts }
  })
}

/** Counts as `usageFormats.responses` says. */
export interface ResponsesUsage {
  input_tokens: number
  input_tokens_details: { cached_tokens: number; cache_write_tokens: number }
  output_tokens: number
  output_tokens_details: { reasoning_tokens: number }
  total_tokens: number
}

export function writeResponsesUsage(usage: Usage): ResponsesUsage {
  const { input, output, cacheRead, cacheWrite, reasoning } = countsIn(usageFormats.responses, usage)
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  }
}

/** The error codes of `response.failed`; Codex decides by them whether to retry. */
const errorCodes: Partial<Record<FailureCode, string>> = {
  invalid_request: 'invalid_prompt',
  context_length_exceeded: 'context_length_exceeded',
  upstream_payment_required: 'insufficient_quota',
  upstream_rate_limited: 'rate_limit_exceeded',
  memory_full: 'rate_limit_exceeded',
  rate_limit_exceeded: 'rate_limit_exceeded',
  budget_exceeded: 'insufficient_quota',
  budget_reserved: 'rate_limit_exceeded',
  queue_full: 'server_is_overloaded',
  queue_timeout: 'server_is_overloaded',
  no_backend: 'server_is_overloaded',
  shutting_down: 'server_is_overloaded',
}

export function responseError(error: GatewayError): { code: string; message: string } {
  const wait = error.retryAfterSeconds
  // Codex parses the delay out of this sentence.
  const message = wait === undefined ? error.message : `${error.message} Please try again in ${wait}s.`
  return { code: errorCodes[error.code] ?? 'server_error', message }
}
