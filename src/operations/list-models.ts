import { z } from 'zod'
import { priceView, PriceView } from '../accounting/price-fields.ts'
import type { Core } from '../core.ts'
import type { Model } from '../providers/provider.ts'
import { operation } from './operation.ts'
import { pageInput, pageOf } from './task-input.ts'

export const ModelView = z.object({
  id: z.string(),
  name: z.string().describe('What its own server calls it.'),
  provider: z.string(),
  kind: z.string().describe('The kind of server.'),
  tier: z.enum(['local', 'remote']),
  free: z.boolean(),
  available: z.boolean(),
  unavailable_reason: z.string().nullable(),
  context_tokens: z.int().nullable(),
  max_output_tokens: z.int().nullable(),
  loaded: z.boolean().nullable(),
  price: PriceView.nullable().describe('USD per million tokens; null where it is not known.'),
  price_source: z.string().nullable().describe('listed, configured or snapshot; null for what runs on this network.'),
  price_at: z.string().nullable().describe('When the price was read from its source.'),
  chat: z.boolean().nullable().describe('false: it only embeds.'),
  tools: z.boolean().nullable(),
  vision: z.boolean().nullable(),
  parameters_b: z.number().nullable(),
  quantization: z.string().nullable(),
  digest: z.string().nullable().describe('Digest of the weights; changes when the model is updated.'),
  size_bytes: z.number().nullable(),
})
export type ModelView = z.output<typeof ModelView>

export const listModels = operation({
  name: 'list_models',
  summary: 'The models available now, with context, price and capabilities.',
  effect: 'read',
  input: z.strictObject({
    tier: z.enum(['local', 'remote']).optional(),
    kind: z.string().optional().describe('Only models on this kind of server, such as ollama or openrouter.'),
    free: z.boolean().optional(),
    id: z.string().optional().describe('Only the model with this id or name.'),
    q: z.string().optional().describe('A substring of the id.'),
    ...pageInput,
  }),
  output: z.object({ models: z.array(ModelView), total: z.int(), page: z.int(), page_size: z.int() }),
  run: (core: Core, { tier, kind, free, id, q, page, page_size }) => {
    const found = core.inventory
      .models()
      .filter(
        model =>
          (tier === undefined || model.tier === tier) &&
          (kind === undefined || core.kindOf(model.provider) === kind) &&
          (free === undefined || model.free === free) &&
          (id === undefined || model.id === id || model.name === id) &&
          (q === undefined || model.id.toLowerCase().includes(q.toLowerCase())),
      )
    const { limit, offset } = pageOf({ page, page_size })
    const models = found.slice(offset, offset + limit).map(model => modelView(core, model))
    return { models, total: found.length, page, page_size }
  },
})

/** A model as people and agents see it. */
export function modelView({ kindOf, conditionOf }: Pick<Core, 'kindOf' | 'conditionOf'>, model: Model): ModelView {
  const { price, capabilities } = model
  const { state, reason } = conditionOf(model)
  return {
    id: model.id,
    name: model.name,
    provider: model.provider,
    kind: kindOf(model.provider) ?? 'unknown',
    tier: model.tier,
    free: model.free,
    available: state === 'ready',
    unavailable_reason: state === 'ready' ? null : (reason ?? 'it does not answer'),
    context_tokens: model.contextTokens ?? null,
    max_output_tokens: model.maxOutputTokens ?? null,
    loaded: model.loaded ?? null,
    price: price === undefined ? null : priceView(price),
    price_source: model.priceOrigin?.source ?? null,
    price_at: model.priceOrigin === undefined ? null : new Date(model.priceOrigin.at).toISOString(),
    chat: capabilities.chat ?? null,
    tools: capabilities.tools ?? null,
    vision: capabilities.vision ?? null,
    parameters_b: model.parametersB ?? null,
    quantization: model.quantization ?? null,
    digest: model.digest ?? null,
    size_bytes: model.sizeBytes ?? null,
  }
}
