import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { Core } from '../core.ts'
import { inSnakeCase } from '../json.ts'
import { modelView } from '../operations/list-models.ts'
import type { Model } from '../providers/provider.ts'
import { discoveryPrefix } from '../router/aliases.ts'
import { presets } from '../router/select.ts'

/** `startedAt` is what OpenAI's `created` must be filled with. */
export type ModelRouteParts = Pick<Core, 'inventory' | 'kindOf' | 'conditionOf' | 'startedAt'>

/** A requestable name: a model, or a preset that leaves the choice to the router. */
interface Entry {
  id: string
  owner: string
  facts: Record<string, unknown>
}

/**
 * `GET /v1/models` and `GET /v1/models/{id}`: every server's models, and the presets. A client that sends
 * `anthropic-version` gets Anthropic's shape, with names that Claude Code accepts in its list.
 */
export function registerModelRoutes(app: FastifyInstance, core: ModelRouteParts): void {
  const { inventory } = core
  const startedAtSeconds = Math.floor(core.startedAt / 1000)
  const entries = (): Entry[] => [
    ...Object.keys(presets).map(id => ({ id, owner: 'signalbox', facts: {} })),
    ...inventory.models().map(model => ({ id: model.id, owner: model.provider, facts: factsOf(model, core) })),
  ]
  const openAi = ({ id, owner, facts }: Entry) => ({
    id,
    object: 'model',
    created: startedAtSeconds,
    owned_by: owner,
    ...facts,
  })
  const anthropic = ({ id, facts }: Entry) => ({
    type: 'model',
    id: discoveryPrefix + id,
    display_name: id,
    created_at: new Date(startedAtSeconds * 1000).toISOString(),
    ...facts,
  })

  app.get('/models', ({ headers }) => {
    if (headers['anthropic-version'] === undefined) return { object: 'list', data: entries().map(openAi) }
    const data = entries().map(anthropic)
    return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
  })

  app.get<{ Params: { '*': string } }>('/models/*', ({ params, headers }) => {
    const asked = params['*']
    const id = asked.startsWith(discoveryPrefix) ? asked.slice(discoveryPrefix.length) : asked
    const named = inventory.models().find(model => model.name === id)?.id
    const entry = entries().find(each => each.id === id) ?? entries().find(each => each.id === named)
    if (entry !== undefined) return headers['anthropic-version'] === undefined ? openAi(entry) : anthropic(entry)
    throw new GatewayError('model_not_found', `Unknown model '${asked}'; GET /v1/models lists all models.`, {
      param: 'model',
    })
  })
}

function factsOf(model: Model, core: ModelRouteParts) {
  const view = modelView(core, model)
  return {
    name: view.name,
    tier: view.tier,
    free: view.free,
    context_length: view.context_tokens,
    max_output_tokens: view.max_output_tokens,
    loaded: view.loaded,
    available: view.available,
    unavailable_reason: view.unavailable_reason,
    capabilities: inSnakeCase(model.capabilities),
    price: view.price,
    quantization: view.quantization,
  }
}
