import { z } from 'zod'
import { ModelName } from '../model-name.ts'
import { TokenLimit } from '../token-limit.ts'
import type { Usage } from '../usage.ts'
import { countsIn, readCharge, readUsageIn, usageFormats, writeCharge, writeDetails } from '../usage-formats.ts'

/**
 * OpenAI's chat completions, parsed loosely: the fields Signalbox uses are checked, all others are kept and forwarded.
 * This is also the internal form of every request: the other protocols are translated to and from it.
 */
export const ChatMessage = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string().optional() }))]).nullish(),
  tool_calls: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }).nullish() })).nullish(),
})
export type ChatMessage = z.output<typeof ChatMessage>

export const ChatTool = z.looseObject({
  type: z.string().optional(),
  function: z.looseObject({ name: z.string() }).nullish(),
})
export type ChatTool = z.output<typeof ChatTool>

const positiveInteger = z.int().min(1)

export const ChatRequest = z
  .looseObject({
    model: ModelName.optional().describe('By default the first of `models`, else auto.'),
    models: z.array(ModelName).max(16).optional(),
    messages: z.array(ChatMessage).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
    tools: z.array(ChatTool).nullish(),
    tool_choice: z.union([z.string(), z.looseObject({})]).nullish(),
    response_format: z.looseObject({ type: z.string() }).nullish(),
    max_tokens: TokenLimit,
    max_completion_tokens: TokenLimit,
    n: positiveInteger.nullish(),
    stop: z.union([z.string(), z.array(z.string())]).nullish(),
    metadata: z.looseObject({}).nullish(),
  })
  .transform((request): typeof request & { model: string } => ({
    ...request,
    model: request.model ?? request.models?.[0] ?? 'auto',
  }))
export type ChatRequest = z.output<typeof ChatRequest>

export interface ToolCallDelta {
  index: number
  id?: string
  type?: string
  function?: { name?: string; arguments?: string }
}

export interface ChatDelta {
  role?: string
  content?: string | null
  reasoning_content?: string | null
  reasoning?: string | null
  tool_calls?: ToolCallDelta[]
  [field: string]: unknown
}

/** One `data:` payload of a chat completion stream. */
export interface ChatChunk {
  id?: string
  object?: string
  created?: number
  model?: string
  choices?: { index: number; delta: ChatDelta; finish_reason?: string | null; [field: string]: unknown }[]
  usage?: OpenAiUsage | null
  error?: unknown
  [field: string]: unknown
}

export interface ToolCall {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
}

export interface ChatCompletion {
  id?: string
  object?: string
  created?: number
  model?: string
  choices: {
    index: number
    message: {
      role: string
      content: string | null
      reasoning_content?: string | null
      tool_calls?: ToolCall[]
      [field: string]: unknown
    }
    finish_reason: string | null
    [field: string]: unknown
  }[]
  usage?: OpenAiUsage | null
  [field: string]: unknown
}

/** Counts as `usageFormats.chat` says. */
export interface OpenAiUsage {
  prompt_tokens?: number
  completion_tokens?: number
  total_tokens?: number
  prompt_tokens_details?: { cached_tokens?: number; cache_write_tokens?: number; [field: string]: unknown } | null
  completion_tokens_details?: { reasoning_tokens?: number; [field: string]: unknown } | null
  /** USD, OpenRouter only. */
  cost?: number | null
  [field: string]: unknown
}

/** Converts OpenAI's usage object to our convention; undefined when it is not one. */
export function readUsage(value: unknown): Usage | undefined {
  const usage = readUsageIn(usageFormats.chat, value)
  return usage === undefined ? undefined : { ...usage, ...readCharge(value) }
}

/** Converts our usage to OpenAI's format. */
export function writeUsage(usage: Usage): OpenAiUsage {
  const { input, output, cacheRead, cacheWrite, reasoning } = countsIn(usageFormats.chat, usage)
  const { prompt_tokens_details, completion_tokens_details, ...details } = writeDetails(usageFormats.chat, usage)
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: cacheRead,
      ...(cacheWrite > 0 ? { cache_write_tokens: cacheWrite } : {}),
      ...prompt_tokens_details,
    },
    completion_tokens_details: { reasoning_tokens: reasoning, ...completion_tokens_details },
    ...details,
    ...writeCharge(usage),
  }
}

/** Reported usage with every key that OpenAI publishes, and the cost where `costUsd` is asked for. */
export function publishedUsage(reported: OpenAiUsage, costUsd?: (usage: Usage) => number | undefined): OpenAiUsage {
  const usage = readUsage(reported)
  if (usage === undefined) return reported
  const written = writeUsage(usage)
  return {
    ...written,
    ...reported,
    prompt_tokens_details: { ...written.prompt_tokens_details, ...reported.prompt_tokens_details },
    completion_tokens_details: { ...written.completion_tokens_details, ...reported.completion_tokens_details },
    ...(costUsd === undefined ? {} : { cost: reported.cost ?? costUsd(usage) ?? null }),
  }
}
