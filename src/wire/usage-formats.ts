import { asObject } from '../json.ts'
import { detailsOf, tokenCount, usageDetails, type Charge, type Usage, type UsageDetails } from './usage.ts'

/** Where a format puts a count: the names of the fields on the way to it. */
type Place = readonly string[]

/** How one wire format counts tokens. */
export interface UsageFormat {
  input: Place
  output: Place
  /** The first place that holds a number counts. */
  cacheRead?: readonly Place[]
  cacheWrite?: readonly Place[]
  reasoning?: readonly Place[]
  details?: Readonly<Partial<Record<keyof UsageDetails, Place>>>
  /** Input and output together. */
  total?: Place
  /** Whether `input` also counts the tokens that were read from or written to a cache. */
  inputIncludesCached: boolean
  /** Whether `output` also counts reasoning. */
  outputIncludesReasoning: boolean
}

/** The convention of every wire format, here and nowhere else. */
export const usageFormats = {
  /** OpenAI's chat completions, completions and embeddings; also OpenRouter, llama-server, LM Studio and other servers. */
  chat: {
    input: ['prompt_tokens'],
    output: ['completion_tokens'],
    cacheRead: [['prompt_tokens_details', 'cached_tokens'], ['prompt_cache_hit_tokens']],
    cacheWrite: [['prompt_tokens_details', 'cache_write_tokens']],
    reasoning: [['completion_tokens_details', 'reasoning_tokens']],
    details: {
      cacheWrite1hTokens: ['cache_creation', 'ephemeral_1h_input_tokens'],
      audioInputTokens: ['prompt_tokens_details', 'audio_tokens'],
      imageInputTokens: ['prompt_tokens_details', 'image_tokens'],
      audioOutputTokens: ['completion_tokens_details', 'audio_tokens'],
      imageOutputTokens: ['completion_tokens_details', 'image_tokens'],
    },
    total: ['total_tokens'],
    inputIncludesCached: true,
    outputIncludesReasoning: true,
  },
  messages: {
    input: ['input_tokens'],
    output: ['output_tokens'],
    cacheRead: [['cache_read_input_tokens']],
    cacheWrite: [['cache_creation_input_tokens']],
    reasoning: [['output_tokens_details', 'thinking_tokens']],
    details: { cacheWrite1hTokens: ['cache_creation', 'ephemeral_1h_input_tokens'] },
    inputIncludesCached: false,
    outputIncludesReasoning: true,
  },
  responses: {
    input: ['input_tokens'],
    output: ['output_tokens'],
    cacheRead: [['input_tokens_details', 'cached_tokens']],
    cacheWrite: [['input_tokens_details', 'cache_write_tokens']],
    reasoning: [['output_tokens_details', 'reasoning_tokens']],
    total: ['total_tokens'],
    inputIncludesCached: true,
    outputIncludesReasoning: true,
  },
  /** Ollama's native API. */
  ollama: {
    input: ['prompt_eval_count'],
    output: ['eval_count'],
    inputIncludesCached: true,
    outputIncludesReasoning: true,
  },
  gemini: {
    input: ['promptTokenCount'],
    output: ['candidatesTokenCount'],
    cacheRead: [['cachedContentTokenCount']],
    reasoning: [['thoughtsTokenCount']],
    total: ['totalTokenCount'],
    inputIncludesCached: true,
    outputIncludesReasoning: false,
  },
  /** llama-server's native completions and `/infill`. */
  llamaServer: {
    input: ['tokens_evaluated'],
    output: ['tokens_predicted'],
    inputIncludesCached: true,
    outputIncludesReasoning: true,
  },
  /** What OpenRouter answers at `/generation`: counts of the model's own tokenizer, by which it bills. */
  openRouterGeneration: {
    input: ['native_tokens_prompt'],
    output: ['native_tokens_completion'],
    cacheRead: [['native_tokens_cached']],
    reasoning: [['native_tokens_reasoning']],
    details: { imageOutputTokens: ['native_tokens_completion_images'] },
    inputIncludesCached: true,
    outputIncludesReasoning: true,
  },
} as const satisfies Record<string, UsageFormat>

/** Counts as a format has them. */
export interface FormatCounts {
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
  reasoning: number
  details: UsageDetails
}

const noDetails: UsageDetails = {}

/** The counts that `usage` has in a format. */
export function countsIn(format: UsageFormat, usage: Usage): FormatCounts {
  const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens } = usage
  return {
    input: inputTokens + (format.inputIncludesCached ? cacheReadTokens + cacheWriteTokens : 0),
    output: outputTokens - (format.outputIncludesReasoning ? 0 : reasoningTokens),
    cacheRead: cacheReadTokens,
    cacheWrite: cacheWriteTokens,
    reasoning: reasoningTokens,
    details: format.details === undefined ? noDetails : detailsOf(name => usage[name] ?? 0),
  }
}

/**
 * Usage in a format as ours; `before`, or undefined without it, where `value` has neither input nor output. Updates that are
 * totals and not increments get the usage so far as `before`: fields missing from the update keep their count.
 */
export function readUsageIn(format: UsageFormat, value: unknown, before?: Usage): Usage | undefined {
  const reported = asObject(value)
  const input = countAt(reported, format.input)
  const output = countAt(reported, format.output)
  if (reported === undefined || (input === undefined && output === undefined)) return before
  const known = before === undefined ? undefined : countsIn(format, before)
  return usageFrom(format, {
    input: input ?? known?.input ?? 0,
    output: output ?? known?.output ?? 0,
    cacheRead: firstCount(reported, format.cacheRead) ?? known?.cacheRead ?? 0,
    cacheWrite: firstCount(reported, format.cacheWrite) ?? known?.cacheWrite ?? 0,
    reasoning: firstCount(reported, format.reasoning) ?? known?.reasoning ?? 0,
    details: detailsIn(format, reported, known?.details),
    total: format.total === undefined ? undefined : countAt(reported, format.total),
  })
}

function detailsIn({ details }: UsageFormat, reported: unknown, known: UsageDetails = noDetails): UsageDetails {
  if (details === undefined) return known
  return detailsOf(name => {
    const place = details[name]
    return (place && countAt(reported, place)) ?? known[name] ?? 0
  })
}

/** Parts that claim to be larger than their whole are cut to it. */
function usageFrom(format: UsageFormat, reported: FormatCounts & { total: number | undefined }): Usage {
  const { input, output, total } = reported
  // Some servers of this format count reasoning beside the output; their total then says so.
  const beside =
    !format.outputIncludesReasoning || (reported.reasoning > 0 && total === input + output + reported.reasoning)
  const outputTokens = beside ? output + reported.reasoning : output
  const cacheReadTokens = format.inputIncludesCached ? Math.min(reported.cacheRead, input) : reported.cacheRead
  const cacheWriteTokens = format.inputIncludesCached
    ? Math.min(reported.cacheWrite, input - cacheReadTokens)
    : reported.cacheWrite
  const inputTokens = format.inputIncludesCached ? input - cacheReadTokens - cacheWriteTokens : input
  const whole = { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens }
  const { details } = reported
  return {
    ...whole,
    reasoningTokens: Math.min(reported.reasoning, outputTokens),
    ...(details === noDetails ? details : cutDetails(details, whole)),
  }
}

/** The details as parts of `whole`: none is larger than what it is a part of, nor are two parts of the same together. */
function cutDetails(
  details: UsageDetails,
  whole: Pick<Usage, 'inputTokens' | 'cacheReadTokens' | 'cacheWriteTokens' | 'outputTokens'>,
): UsageDetails {
  const prompt = whole.inputTokens + whole.cacheReadTokens + whole.cacheWriteTokens
  const { audioInputTokens = 0, audioOutputTokens = 0 } = details
  const limits: Required<UsageDetails> = {
    cacheWrite1hTokens: whole.cacheWriteTokens,
    audioInputTokens: prompt,
    imageInputTokens: Math.max(0, prompt - audioInputTokens),
    audioOutputTokens: whole.outputTokens,
    imageOutputTokens: Math.max(0, whole.outputTokens - audioOutputTokens),
  }
  return detailsOf(name => Math.min(details[name] ?? 0, limits[name]))
}

/** The details in the fields of a format, for an answer; a field that holds other counts too gets those from the caller. */
export function writeDetails({ details: places = {} }: UsageFormat, usage: UsageDetails): Record<string, object> {
  const fields: Record<string, Record<string, number>> = {}
  for (const name of usageDetails) {
    const [field, part] = places[name] ?? []
    const tokens = usage[name]
    if (field === undefined || part === undefined || tokens === undefined) continue
    fields[field] = { ...fields[field], [part]: tokens }
  }
  return fields
}

/** USD; a larger charge for one call is ignored as an error. */
const maxCostUsd = 10_000

/**
 * What OpenRouter reports besides the tokens: what it charged, and what the model's provider bills to the account's own key
 * (BYOK), which comes on top. Empty where it reports nothing.
 */
export function readCharge(value: unknown): Charge {
  const { cost, is_byok: byok, cost_details: details } = asObject(value) ?? {}
  if (!isCost(cost)) return {}
  const upstream = asObject(details)?.['upstream_inference_cost']
  // Newer answers hold the provider's cost in any case. Without the flag: a fee is below what it is a fee for.
  const isByok = typeof byok === 'boolean' ? byok : isCost(upstream) && upstream > cost
  return isByok && isCost(upstream) ? { reportedCostUsd: cost, byokCostUsd: upstream } : { reportedCostUsd: cost }
}

/** The charge in OpenRouter's fields. */
export function writeCharge({ reportedCostUsd: cost, byokCostUsd: upstream }: Charge): object {
  if (cost === undefined) return {}
  return upstream === undefined
    ? { cost }
    : { cost, is_byok: true, cost_details: { upstream_inference_cost: upstream } }
}

function isCost(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= maxCostUsd
}

function firstCount(reported: unknown, places: readonly Place[] = []): number | undefined {
  for (const place of places) {
    const found = countAt(reported, place)
    if (found !== undefined) return found
  }
  return undefined
}

function countAt(reported: unknown, place: Place): number | undefined {
  return tokenCount(place.reduce((found, name) => asObject(found)?.[name], reported))
}
