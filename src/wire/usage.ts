/**
 * Tokens consumed by a model call, in the one convention Signalbox uses everywhere. Wire formats disagree (OpenAI
 * counts cached tokens inside the prompt, Anthropic separately); each codec converts its own.
 */
export interface Usage {
  /** Prompt tokens that were neither read from nor written to a cache. */
  inputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  /** All generated tokens, reasoning included. */
  outputTokens: number
  /** The part of `outputTokens` spent on reasoning. */
  reasoningTokens: number
  /** The upstream's reported charge in USD, where it reports one. */
  reportedCostUsd?: number
  /** True when the upstream reported no usage and these are our own counts. */
  estimated?: boolean
}

export const noUsage: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
}

/** No request has a billion tokens, and sums of such numbers stay exact. */
const maxTokens = 1_000_000_000

/** A token count reported by a server as an integer from 0 to a billion; undefined for anything but a number. */
export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && !Number.isNaN(value)
    ? Math.min(maxTokens, Math.max(0, Math.round(value)))
    : undefined
}

/** Total usage of several calls. */
export function sumUsage(usages: readonly Usage[]): Usage {
  const [first = noUsage, ...others] = usages
  return others.reduce(
    (sum, usage): Usage => ({
      inputTokens: sum.inputTokens + usage.inputTokens,
      cacheReadTokens: sum.cacheReadTokens + usage.cacheReadTokens,
      cacheWriteTokens: sum.cacheWriteTokens + usage.cacheWriteTokens,
      outputTokens: sum.outputTokens + usage.outputTokens,
      reasoningTokens: sum.reasoningTokens + usage.reasoningTokens,
      ...(sum.estimated === true || usage.estimated === true ? { estimated: true } : {}),
    }),
    first,
  )
}

/** Prompt tokens in total, however they were served. */
export function promptTokens(usage: Usage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens
}
