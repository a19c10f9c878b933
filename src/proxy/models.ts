import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { Core } from '../core.ts'
import { asObject, inSnakeCase, type JsonObject } from '../json.ts'
import { modelView } from '../operations/list-models.ts'
import { discoveryPrefix } from '../router/aliases.ts'
import { modelInfo, pageOfList } from '../wire/messages/model-info.ts'
import { entryOf, limitsOf, modelEntries, type ModelEntry } from './model-entries.ts'

/** `startedAt` is what OpenAI's `created` must be filled with. */
export type ModelRouteParts = Pick<Core, 'inventory' | 'modelsFor' | 'kindOf' | 'conditionOf' | 'startedAt'>

/**
 * `GET /v1/models` and `GET /v1/models/{id}`: every server's models, and the presets. A client that sends
 * `anthropic-version` gets Anthropic's shape, with names that Claude Code accepts in its list.
 */
export function registerModelRoutes(app: FastifyInstance, core: ModelRouteParts): void {
  const createdSeconds = Math.floor(core.startedAt / 1000)
  const openAi = (entry: ModelEntry) => ({
    id: entry.id,
    object: 'model',
    created: createdSeconds,
    owned_by: entry.model?.provider ?? 'signalbox',
    ...limitFields(entry),
    ...factsOf(entry, core),
    capabilities: entry.model && inSnakeCase(entry.model.capabilities),
  })
  const anthropic = (entry: ModelEntry) => ({
    ...limitFields(entry),
    ...factsOf(entry, core),
    ...modelInfo({
      id: discoveryPrefix + entry.id,
      displayName: entry.id,
      createdSeconds,
      ...limitsOf(entry.models),
      vision: entry.models.some(({ capabilities }) => capabilities.vision === true),
      reasoning: entry.models.some(({ capabilities }) => capabilities.reasoning === true),
      json: entry.models.some(({ capabilities }) => capabilities.json !== false),
    }),
  })

  app.get('/models', ({ headers, query, principal }) => {
    const entries = modelEntries(core.modelsFor(principal.name))
    return isAnthropics(headers)
      ? pageOfList(entries.map(anthropic), asObject(query) ?? {})
      : { object: 'list', data: entries.map(openAi) }
  })

  app.get<{ Params: { '*': string } }>('/models/*', ({ params, headers, principal }) => {
    const asked = params['*']
    const name = asked.startsWith(discoveryPrefix) ? asked.slice(discoveryPrefix.length) : asked
    const entry = entryOf(name, core.modelsFor(principal.name))
    if (entry !== undefined) return isAnthropics(headers) ? anthropic(entry) : openAi(entry)
    throw new GatewayError('model_not_found', `Unknown model '${asked}'; GET /v1/models lists all models.`, {
      param: 'model',
    })
  })
}

function isAnthropics(headers: IncomingHttpHeaders): boolean {
  return headers['anthropic-version'] !== undefined
}

/** The same two numbers under the names that clients of OpenRouter, vLLM, Groq and LiteLLM look for. */
function limitFields({ models }: ModelEntry): JsonObject {
  const { contextTokens = null, outputTokens = null } = limitsOf(models)
  return {
    context_length: contextTokens,
    context_window: contextTokens,
    max_model_len: contextTokens,
    max_input_tokens: contextTokens,
    max_output_tokens: outputTokens,
    max_completion_tokens: outputTokens,
    top_provider: { context_length: contextTokens, max_completion_tokens: outputTokens, is_moderated: false },
  }
}

function factsOf({ model }: ModelEntry, core: ModelRouteParts): JsonObject {
  if (model === undefined) return {}
  const view = modelView(core, model)
  return {
    name: view.name,
    tier: view.tier,
    free: view.free,
    loaded: view.loaded,
    available: view.available,
    unavailable_reason: view.unavailable_reason,
    price: view.price,
    quantization: view.quantization,
  }
}
