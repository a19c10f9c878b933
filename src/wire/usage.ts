/** What an upstream reports to have charged, in USD. */
export interface Charge {
  /** By the upstream itself. */
  reportedCostUsd?: number
  /** By the model's provider, to the operator's own key there (BYOK); comes on top. */
  byokCostUsd?: number
}

/**
 * Tokens consumed by a model call, in the one convention Signalbox uses everywhere. Wire formats disagree;
 * `usage-formats.ts` has the convention of each.
 */
export interface Usage extends Charge {
  /** Prompt tokens that were neither read from nor written to a cache. */
  inputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  /** All generated tokens, reasoning included. */
  outputTokens: number
  /** The part of `outputTokens` spent on reasoning. */
  reasoningTokens: number
  /** The part of `cacheWriteTokens` that the cache keeps for an hour, at a rate of its own. */
  cacheWrite1hTokens?: number
  /** Parts of the prompt, cached or not, that are sound and pictures. */
  audioInputTokens?: number
  imageInputTokens?: number
  /** Parts of `outputTokens` that are sound and pictures. */
  audioOutputTokens?: number
  imageOutputTokens?: number
  /** True when the upstream reported no usage and these are our own counts. */
  estimated?: boolean
  /** True when a price per token does not apply: the tokens are of sound or pictures, or unknown. */
  unpriced?: boolean
  /** True when the call ended early, so that this is what it consumed until then. */
  partial?: boolean
}

/** The counts that most usages lack: parts of others, absent where they are 0. */
export const usageDetails = [
  'cacheWrite1hTokens',
  'audioInputTokens',
  'imageInputTokens',
  'audioOutputTokens',
  'imageOutputTokens',
] as const
export type UsageDetails = Pick<Usage, (typeof usageDetails)[number]>

export const noUsage: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
}

/** What is recorded of a call whose upstream does not say what it consumed, where it can't be estimated either. */
export const unknownUsage: Usage = { ...noUsage, estimated: true, unpriced: true }

/** No request has a billion tokens, and sums of such numbers stay exact. */
const maxTokens = 1_000_000_000

/** A token count reported by a server as an integer from 0 to a billion; undefined for anything but a number. */
export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && !Number.isNaN(value)
    ? Math.min(maxTokens, Math.max(0, Math.round(value)))
    : undefined
}

/** Total tokens of several calls; charges are summed as money. */
export function sumUsage(usages: readonly Usage[]): Usage {
  const [first = noUsage, ...others] = usages
  return others.reduce(
    (sum, usage): Usage => ({
      inputTokens: sum.inputTokens + usage.inputTokens,
      cacheReadTokens: sum.cacheReadTokens + usage.cacheReadTokens,
      cacheWriteTokens: sum.cacheWriteTokens + usage.cacheWriteTokens,
      outputTokens: sum.outputTokens + usage.outputTokens,
      reasoningTokens: sum.reasoningTokens + usage.reasoningTokens,
      ...detailsOf(name => (sum[name] ?? 0) + (usage[name] ?? 0)),
      ...(sum.estimated === true || usage.estimated === true ? { estimated: true } : {}),
      ...(sum.partial === true || usage.partial === true ? { partial: true } : {}),
    }),
    first,
  )
}

/** The details that are more than 0. */
export function detailsOf(count: (name: keyof UsageDetails) => number): UsageDetails {
  const found: UsageDetails = {}
  for (const name of usageDetails) {
    const tokens = count(name)
    if (tokens > 0) found[name] = tokens
  }
  return found
}

/** Prompt tokens in total, however they were served. */
export function promptTokens(usage: Usage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens
}
