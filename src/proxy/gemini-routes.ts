import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { asObject, type JsonObject } from '../json.ts'
import type { Model } from '../providers/provider.ts'
import { presets } from '../router/select.ts'
import type { TokenCounter } from '../tokens/counter.ts'
import { gemini } from '../wire/gemini/protocol.ts'
import { chatFromGemini } from '../wire/gemini/request.ts'
import { inCamelCase } from '../wire/gemini/schemas.ts'
import { chatHandler, type RouteParts } from './chat-routes.ts'

export type GeminiRouteParts = Pick<Core, 'inventory' | 'tokens'>

type ByName = { Params: { '*': string } }

/**
 * Gemini's API: `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent` and `:countTokens`, and the list of models.
 * A model's name may hold slashes and colons, so that the route has to find the method itself.
 */
export function registerGeminiRoutes(app: FastifyInstance, core: GeminiRouteParts, parts: RouteParts): void {
  const { inventory } = core
  const generate = chatHandler(gemini, parts)
  const entries = (): JsonObject[] => [
    ...Object.keys(presets).map(id => described(id, inventory.models())),
    ...inventory.models().map(model => described(model.id, [model])),
  ]

  app.post<ByName>(gemini.path, async (incoming, reply) => {
    const [, model = '', method = ''] = /^(.*):(\w+)$/s.exec(incoming.params['*']) ?? []
    if (method === 'countTokens') return { totalTokens: countTokens(incoming.body, core.tokens) }
    const stream = method === 'streamGenerateContent'
    if (!stream && method !== 'generateContent') throw unknownMethod(incoming.params['*'])
    incoming.body = { ...bodyOf(incoming), model, stream, events: asObject(incoming.query)?.['alt'] === 'sse' }
    return generate(incoming, reply)
  })
  app.get('/v1beta/models', ({ query }) => pageOf(entries(), asObject(query) ?? {}))
  app.get<ByName>('/v1beta/models/*', ({ params }) => {
    const name = params['*']
    const id = inventory.models().find(model => model.name === name)?.id ?? name
    const found = entries().find(entry => entry['baseModelId'] === id)
    if (found !== undefined) return found
    throw new GatewayError('model_not_found', `Unknown model '${name}'; GET /v1beta/models lists all models.`, {
      param: 'model',
    })
  })
}

function bodyOf({ body }: FastifyRequest): JsonObject {
  const fields = asObject(body)
  if (fields === undefined) throw new GatewayError('invalid_request', 'The request body must be a JSON object.')
  return fields
}

function unknownMethod(target: string): GatewayError {
  return new GatewayError(
    'not_found',
    `'${target.slice(0, 200)}' names no method that is known here: use {model}:generateContent, :streamGenerateContent or :countTokens.`,
  )
}

/** Always a number: agents count before they send. The request may be wrapped, so that its tools count too. */
function countTokens(body: unknown, tokens: TokenCounter): number {
  const fields = asObject(inCamelCase(body)) ?? {}
  const counted = asObject(fields['generateContentRequest']) ?? fields
  try {
    const { request } = chatFromGemini({ ...counted, model: 'auto', stream: false, events: false })
    return tokens.countMessages(request.messages, request.tools).tokens
  } catch {
    // Not a valid conversation; its text can still be counted.
    return tokens.countText(JSON.stringify(counted)).tokens
  }
}

/** A name and what the models behind it can take at most. */
function described(id: string, models: readonly Model[]): JsonObject {
  const largest = (values: readonly (number | undefined)[]) => Math.max(0, ...values.map(value => value ?? 0))
  const inputTokenLimit = largest(models.map(({ contextTokens }) => contextTokens))
  const outputTokenLimit = largest(models.map(({ maxOutputTokens }) => maxOutputTokens)) || inputTokenLimit
  return {
    name: `models/${id}`,
    baseModelId: id,
    version: '1',
    displayName: id,
    ...(inputTokenLimit > 0 ? { inputTokenLimit, outputTokenLimit } : {}),
    supportedGenerationMethods: ['generateContent', 'countTokens'],
    thinking: models.some(({ capabilities }) => capabilities.reasoning === true),
  }
}

const maxPageSize = 1000

/** `pageToken` is where the page begins. */
function pageOf(all: readonly JsonObject[], { pageSize, pageToken }: JsonObject): JsonObject {
  const size = Math.min(maxPageSize, Math.max(1, Math.floor(Number(pageSize ?? maxPageSize)) || maxPageSize))
  const start = Math.max(0, Math.floor(Number(pageToken ?? 0)) || 0)
  const end = start + size
  return { models: all.slice(start, end), ...(end < all.length ? { nextPageToken: String(end) } : {}) }
}
