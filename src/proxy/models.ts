import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { Inventory } from '../gateway/inventory.ts'
import type { Model } from '../providers/provider.ts'
import { presets } from '../router/select.ts'

export interface ModelRouteParts {
  inventory: Inventory
  /** Seconds since the epoch; what OpenAI's `created` must be filled with. */
  startedAtSeconds: number
}

/** `GET /v1/models` and `GET /v1/models/{id}`: what every server serves, and the names that leave the choice to the router. */
export function models(app: FastifyInstance, { inventory, startedAtSeconds }: ModelRouteParts): void {
  const entry = (id: string, owner: string) => ({ id, object: 'model', created: startedAtSeconds, owned_by: owner })
  const routed = () => Object.keys(presets).map(id => entry(id, 'signalbox'))
  const served = (model: Model) => ({ ...entry(model.id, model.provider), ...facts(model, inventory) })

  app.get('/models', () => ({ object: 'list', data: [...routed(), ...inventory.models().map(served)] }))

  app.get<{ Params: { '*': string } }>('/models/*', ({ params }) => {
    const id = params['*']
    const model = inventory.models().find(each => each.id === id || each.name === id)
    if (model !== undefined) return served(model)
    const preset = routed().find(each => each.id === id)
    if (preset !== undefined) return preset
    throw new GatewayError('model_not_found', `There is no model '${id}'; GET /v1/models lists all.`, {
      param: 'model',
    })
  })
}

function facts(model: Model, inventory: Inventory) {
  return {
    name: model.name,
    tier: model.tier,
    free: model.free,
    context_length: model.contextTokens ?? null,
    max_output_tokens: model.maxOutputTokens ?? null,
    loaded: model.loaded ?? null,
    available: inventory.condition(model).state === 'ready',
    capabilities: model.capabilities,
    /** USD per million tokens. */
    price: model.price ?? null,
    quantization: model.quantization ?? null,
  }
}
