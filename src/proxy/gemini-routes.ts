import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { asObject, type JsonObject } from '../json.ts'
import type { Model } from '../providers/provider.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'
import { embeddingsFromBatch, embeddingsFromGemini } from '../wire/gemini/embeddings.ts'
import { gemini } from '../wire/gemini/protocol.ts'
import { chatFromGemini } from '../wire/gemini/request.ts'
import { inCamelCase } from '../wire/gemini/schemas.ts'
import { nonChatEndpoints } from '../wire/non-chat.ts'
import { entryOf, limitsOf, modelEntries, type ModelEntry } from './model-entries.ts'
import { countPrompt, type CountParts } from './count-tokens.ts'
import { chatHandler, type RouteHandler, type RouteParts } from './chat-routes.ts'
import { nonChatHandler } from './non-chat-routes.ts'

export type GeminiRouteParts = Pick<Core, 'modelsFor'> & CountParts

type ByName = { Params: { '*': string } }

/**
 * Gemini's API: `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`, `:embedContent` and
 * `:batchEmbedContents`, and the list of models. A model's name may hold slashes and colons, so that the route has to find the
 * method itself.
 */
export function registerGeminiRoutes(app: FastifyInstance, core: GeminiRouteParts, parts: RouteParts): void {
  const generate = chatHandler(gemini, parts)
  const embedder = (read: typeof embeddingsFromGemini) => (model: string) =>
    nonChatHandler(nonChatEndpoints.embeddings, parts, body => read(body, model))
  const embedders: Readonly<Record<string, (model: string) => RouteHandler>> = {
    embedContent: embedder(embeddingsFromGemini),
    batchEmbedContents: embedder(embeddingsFromBatch),
  }

  app.post<ByName>(gemini.path, async (incoming, reply) => {
    const [, model = '', method = ''] = /^(.*):(\w+)$/s.exec(incoming.params['*']) ?? []
    if (method === 'countTokens') {
      const totalTokens = await countPrompt(core, { incoming, reply }, () => countedRequest(incoming.body, model))
      return { totalTokens }
    }
    const embed = embedders[method]
    if (embed !== undefined) return embed(model)(incoming, reply)
    const stream = method === 'streamGenerateContent'
    if (!stream && method !== 'generateContent') throw unknownMethod(incoming.params['*'])
    incoming.body = { ...bodyOf(incoming), model, stream, events: asObject(incoming.query)?.['alt'] === 'sse' }
    return generate(incoming, reply)
  })
  app.get('/v1beta/models', ({ query, principal }) =>
    pageOf(modelEntries(core.modelsFor(principal.name)).map(described), asObject(query) ?? {}),
  )
  app.get<ByName>('/v1beta/models/*', ({ params, principal }) => {
    const name = params['*']
    const found = entryOf(name, core.modelsFor(principal.name))
    if (found !== undefined) return described(found)
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
    `'${target.slice(0, 200)}' names no method that is known here: use {model}:generateContent, :streamGenerateContent, :countTokens, :embedContent or :batchEmbedContents.`,
  )
}

/** The request may be wrapped, so that its tools count too. */
function countedRequest(body: unknown, model: string): ChatRequest {
  const fields = asObject(inCamelCase(body)) ?? {}
  const counted = asObject(fields['generateContentRequest']) ?? fields
  return chatFromGemini({ ...counted, model, stream: false, events: false }).request
}

/** A name and what the models behind it can take at most. */
function described({ id, models }: ModelEntry): JsonObject {
  const { contextTokens, outputTokens } = limitsOf(models)
  return {
    name: `models/${id}`,
    baseModelId: id,
    version: '1',
    displayName: id,
    ...(contextTokens === undefined ? {} : { inputTokenLimit: contextTokens, outputTokenLimit: outputTokens }),
    supportedGenerationMethods: methodsOf(models),
    thinking: models.some(({ capabilities }) => capabilities.reasoning === true),
  }
}

/** What a server does not say of its models is taken as there, as the router does; embeddings are not. */
function methodsOf(models: readonly Model[]): string[] {
  return [
    ...(models.every(({ capabilities }) => capabilities.chat === false) ? [] : ['generateContent', 'countTokens']),
    ...(models.some(({ capabilities }) => capabilities.embeddings === true)
      ? ['embedContent', 'batchEmbedContents']
      : []),
  ]
}

const maxPageSize = 1000

/** `pageToken` is where the page begins. */
function pageOf(all: readonly JsonObject[], { pageSize, pageToken }: JsonObject): JsonObject {
  const size = Math.min(maxPageSize, Math.max(1, Math.floor(Number(pageSize ?? maxPageSize)) || maxPageSize))
  const start = Math.max(0, Math.floor(Number(pageToken ?? 0)) || 0)
  const end = start + size
  return { models: all.slice(start, end), ...(end < all.length ? { nextPageToken: String(end) } : {}) }
}
