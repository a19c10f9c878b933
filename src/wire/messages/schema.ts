import { z } from 'zod'
import { ModelName } from '../model-name.ts'
import { TokenLimit } from '../token-limit.ts'
import type { GatewayError, FailureCode } from '../../errors.ts'
import type { ErrorReply } from '../protocol.ts'
import { type JsonObject } from '../../json.ts'
import { noUsage, type Usage } from '../usage.ts'
import { countsIn, readCharge, readUsageIn, usageFormats } from '../usage-formats.ts'

const Block = z.looseObject({ type: z.string() })
const Content = z.union([z.string(), z.array(Block)])

/** Anthropic's Messages, parsed loosely: the envelope is checked here, blocks where they are translated. */
export const MessagesRequest = z.looseObject({
  model: ModelName.default('auto'),
  messages: z.array(z.looseObject({ role: z.string(), content: Content })).min(1),
  system: Content.nullish(),
  max_tokens: TokenLimit,
  stop_sequences: z.array(z.string()).nullish(),
  stream: z.boolean().nullish(),
  tools: z.array(z.looseObject({ name: z.string().optional(), type: z.string().nullish() })).nullish(),
  tool_choice: z.looseObject({ type: z.string() }).nullish(),
  thinking: z.looseObject({ type: z.string() }).nullish(),
  output_config: z.looseObject({}).nullish(),
  metadata: z.looseObject({}).nullish(),
})
export type MessagesRequest = z.output<typeof MessagesRequest>
export type MessagesBlock = z.output<typeof Block>

/** Counts as `usageFormats.messages` says. */
export interface MessagesUsage {
  input_tokens: number
  cache_creation_input_tokens: number
  cache_read_input_tokens: number
  output_tokens: number
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number } | null
  output_tokens_details: { thinking_tokens: number } | null
  server_tool_use: null
}

/** What only Anthropic's servers can tell; in a whole message and at its start. */
export const unknownUsage = { inference_geo: null, service_tier: null, speed: null } as const

export function writeMessagesUsage(usage: Usage): MessagesUsage {
  const { input, output, cacheRead, cacheWrite, reasoning } = countsIn(usageFormats.messages, usage)
  const { cacheWrite1hTokens: cacheWrite1h = 0 } = usage
  return {
    input_tokens: input,
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cacheRead,
    output_tokens: output,
    cache_creation:
      cacheWrite1h > 0
        ? { ephemeral_5m_input_tokens: cacheWrite - cacheWrite1h, ephemeral_1h_input_tokens: cacheWrite1h }
        : null,
    output_tokens_details: reasoning > 0 ? { thinking_tokens: reasoning } : null,
    server_tool_use: null,
  }
}

/**
 * Converts Anthropic's usage to our convention. A stream reports it in updates that are totals, not increments: pass
 * the previous value as `before`, and fields missing from the update keep theirs.
 */
export function readMessagesUsage(value: unknown, before?: Usage): Usage | undefined {
  const usage = readUsageIn(usageFormats.messages, value, before)
  return usage === undefined ? undefined : { ...before, ...usage, ...readCharge(value) }
}

/** Initial usage, before the model has reported any. */
export function startingUsage(prompt: number): MessagesUsage {
  return writeMessagesUsage({ ...noUsage, inputTokens: prompt })
}

const stopReasons: ReadonlyMap<unknown, string> = new Map([
  ['stop', 'end_turn'],
  ['length', 'max_tokens'],
  ['tool_calls', 'tool_use'],
  ['function_call', 'tool_use'],
  ['content_filter', 'refusal'],
])

/** Stop reasons that chat completions lack; kept there in `native_finish_reason`. */
const finerReasons: ReadonlyMap<unknown, string> = new Map([
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['refusal', 'content_filter'],
  ['model_context_window_exceeded', 'length'],
])

/**
 * The stop reason of an answer. `choice` is a chat choice; `called`: the answer has tool calls; `refused`: it has a
 * refusal.
 */
export function writeStop(
  choice: JsonObject,
  called: boolean,
  refused: boolean,
): { stop_reason: string; stop_sequence: string | null } {
  const reason = choice['finish_reason']
  const native = choice['native_finish_reason']
  // vLLM puts the matched stop string into `stop_reason`.
  const sequence = [choice['stop_sequence'], choice['stop_reason']].find(value => typeof value === 'string')
  if (called && reason !== 'length' && reason !== 'content_filter')
    return { stop_reason: 'tool_use', stop_sequence: null }
  if (refused) return { stop_reason: 'refusal', stop_sequence: null }
  if (reason === 'stop' && typeof sequence === 'string')
    return { stop_reason: 'stop_sequence', stop_sequence: sequence }
  if (typeof native === 'string' && finerReasons.get(native) === reason && native !== 'stop_sequence') {
    return { stop_reason: native, stop_sequence: null }
  }
  return { stop_reason: stopReasons.get(reason) ?? 'end_turn', stop_sequence: null }
}

/** Anthropic's stop reason as fields of a chat choice. */
export function readStop(stopReason: unknown, stopSequence: unknown): JsonObject {
  if (stopReason === 'tool_use') return { finish_reason: 'tool_calls' }
  if (stopReason === 'max_tokens') return { finish_reason: 'length' }
  const finer = finerReasons.get(stopReason)
  if (finer === undefined) return { finish_reason: 'stop' }
  return {
    finish_reason: finer,
    native_finish_reason: stopReason,
    ...(typeof stopSequence === 'string' ? { stop_sequence: stopSequence } : {}),
  }
}

const overloaded = 529

/** Exceptions from `api_error` with the error's own status. */
const errorKinds: Partial<Record<FailureCode, { type: string; status?: number }>> = {
  unauthorized: { type: 'authentication_error' },
  forbidden: { type: 'permission_error' },
  not_found: { type: 'not_found_error' },
  model_not_found: { type: 'not_found_error' },
  conflict: { type: 'conflict_error' },
  request_too_large: { type: 'request_too_large' },
  budget_exceeded: { type: 'billing_error' },
  budget_reserved: { type: 'rate_limit_error' },
  upstream_payment_required: { type: 'billing_error' },
  upstream_rate_limited: { type: 'rate_limit_error' },
  memory_full: { type: 'rate_limit_error' },
  rate_limit_exceeded: { type: 'rate_limit_error' },
  upstream_timeout: { type: 'timeout_error' },
  queue_full: { type: 'overloaded_error', status: overloaded },
  queue_timeout: { type: 'overloaded_error', status: overloaded },
  no_backend: { type: 'overloaded_error', status: overloaded },
  shutting_down: { type: 'overloaded_error', status: overloaded },
}

/** Anthropic's error envelope, for a response and for a stream's `error` event. */
export function writeMessagesError(error: GatewayError, requestId?: string): ErrorReply {
  const kind = errorKinds[error.code]
  const status = kind?.status ?? error.failure.status
  const type = kind?.type ?? (status >= 400 && status < 500 ? 'invalid_request_error' : 'api_error')
  const { details } = error
  return {
    status,
    body: {
      type: 'error',
      error: { type, message: messageOf(error), ...(details === undefined ? {} : { details }) },
      request_id: requestId ?? null,
    },
  }
}

/** Claude Code compacts its conversation when it sees this phrase, by as much as the numbers say, and gives up on an error without it. */
function messageOf({ code, message, overflow }: GatewayError): string {
  if (code !== 'context_length_exceeded') return message
  if (overflow === undefined) return `prompt is too long: ${message}`
  return `prompt is too long: ${overflow.promptTokens} tokens > ${overflow.maxPromptTokens} maximum. ${message}`
}
