import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { freePrice, isFree } from '../../accounting/pricing.ts'
import type { Model } from '../provider.ts'
import { readPrice } from './prices.ts'

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

/** Parses OpenRouter's model list, read at `at` (milliseconds since the epoch). Throws `upstream_error` when it is invalid. */
export function readOpenRouterModels(answer: unknown, provider: string, at: number): Model[] {
  const list = List.safeParse(answer)
  if (!list.success) {
    throw new GatewayError('upstream_error', `${provider} did not return OpenRouter's model list.`)
  }
  return list.data.data.map(listed => describe(listed, provider, at))
}

function describe(listed: z.output<typeof Listed>, provider: string, at: number): Model {
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
    priceOrigin: price === undefined ? undefined : { source: 'listed', at },
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
