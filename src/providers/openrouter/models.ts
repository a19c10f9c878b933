import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { isObject, readNumber } from '../../json.ts'
import { freePrice, isFree, type Price } from '../../accounting/pricing.ts'
import type { Model } from '../provider.ts'

const Listed = z.looseObject({
  id: z.string(),
  created: z.number().nullish(),
  context_length: z.number().nullish(),
  architecture: z
    .looseObject({
      input_modalities: z.array(z.string()).nullish(),
      output_modalities: z.array(z.string()).nullish(),
      tokenizer: z.string().nullish(),
    })
    .nullish(),
  pricing: z.record(z.string(), z.unknown()).nullish(),
  top_provider: z
    .looseObject({ context_length: z.number().nullish(), max_completion_tokens: z.number().nullish() })
    .nullish(),
  supported_parameters: z.array(z.string()).nullish(),
})
const List = z.looseObject({ data: z.array(Listed) })

/** Parses OpenRouter's model list. Throws `upstream_error` when it is invalid. */
export function readOpenRouterModels(answer: unknown, provider: string): Model[] {
  const list = List.safeParse(answer)
  if (!list.success) {
    throw new GatewayError('upstream_error', `${provider} did not return OpenRouter's model list.`)
  }
  return list.data.data.map(listed => describe(listed, provider))
}

function describe(listed: z.output<typeof Listed>, provider: string): Model {
  const { id, architecture, top_provider: top, supported_parameters: parameters } = listed
  const price = id.endsWith(':free') ? freePrice : readPrice(listed.pricing ?? {})
  const outputs = architecture?.output_modalities
  const can = (...names: string[]) => parameters?.some(name => names.includes(name)) ?? true
  return {
    id: `${provider}/${id}`,
    provider,
    name: id,
    tier: 'remote',
    price,
    free: price !== undefined && isFree(price),
    contextTokens: top?.context_length ?? listed.context_length ?? undefined,
    maxOutputTokens: top?.max_completion_tokens ?? undefined,
    loaded: undefined,
    capabilities: {
      ...(outputs ? { chat: outputs.includes('text'), embeddings: outputs.includes('embeddings') } : {}),
      ...(architecture?.input_modalities ? { vision: architecture.input_modalities.includes('image') } : {}),
      tools: can('tools'),
      forcedTools: can('tool_choice'),
      json: can('response_format', 'structured_outputs'),
      reasoning: can('reasoning', 'include_reasoning'),
      logprobs: can('logprobs'),
      logitBias: can('logit_bias'),
      manyChoices: parameters?.includes('n') ?? false,
    },
    family: architecture?.tokenizer ?? undefined,
    released: listed.created ? new Date(listed.created * 1000).toISOString().slice(0, 10) : undefined,
    // It takes Messages for every model, but translates them itself for those of other makers.
    nativeProtocols: /^~?anthropic\//.test(id) ? ['messages'] : undefined,
  }
}

/** Prices are strings in USD per token; a router's own entry has -1, which is no price. */
function readPrice(pricing: Record<string, unknown>): Price | undefined {
  const base = ratesOf(pricing)
  const { input, output } = base
  if (input === undefined || output === undefined) return undefined
  const tiers = (Array.isArray(pricing.overrides) ? (pricing.overrides as unknown[]) : []).flatMap(override => {
    const fromPromptTokens = isObject(override) ? readNumber(override.min_prompt_tokens) : undefined
    // Other conditions cannot be known in advance; the reported charge includes them.
    return isObject(override) && fromPromptTokens !== undefined
      ? [{ ...base, input, output, ...ratesOf(override), fromPromptTokens }]
      : []
  })
  tiers.sort((a, b) => a.fromPromptTokens - b.fromPromptTokens)
  return { ...base, input, output, ...(tiers.length > 0 ? { tiers } : {}) }
}

function ratesOf(pricing: Record<string, unknown>): Partial<Price> {
  const perMillion = (field: string) => {
    const usd = readNumber(pricing[field])
    // 0.0000015 * 1e6 is not 1.5 in binary.
    return usd === undefined ? undefined : Number((usd * 1e6).toPrecision(12))
  }
  const rates = {
    input: perMillion('prompt'),
    output: perMillion('completion'),
    cacheRead: perMillion('input_cache_read'),
    cacheWrite: perMillion('input_cache_write'),
    requestUsd: readNumber(pricing.request),
  }
  return Object.fromEntries(Object.entries(rates).filter(([, rate]) => rate !== undefined))
}
