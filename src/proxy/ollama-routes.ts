import { hash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { asString, isObject, type JsonObject } from '../json.ts'
import type { Model } from '../providers/provider.ts'
import { select } from '../router/select.ts'
import { ollamaChat, ollamaGenerate } from '../wire/ollama/protocol.ts'
import { asGenerated, asMessage, embeddingFromEmbeddings, embedFromEmbeddings } from '../wire/ollama/response.ts'
import { generatedFromCompletion, type WriteSaid } from '../wire/ollama/response.ts'
import {
  asksNothing,
  completionFromGenerate,
  continuesText,
  embeddingsFromEmbed,
  embeddingsFromPrompt,
} from '../wire/ollama/request.ts'
import { OllamaShowRequest } from '../wire/ollama/schema.ts'
import { createGeneratedWriter, lines } from '../wire/ollama/stream.ts'
import { nonChatEndpoints } from '../wire/non-chat.ts'
import type { Protocol } from '../wire/protocol.ts'
import { readBody } from '../wire/read-body.ts'
import { limitsOf, modelEntries, type ModelEntry } from './model-entries.ts'
import { chatHandler, type RouteHandler, type RouteParts } from './chat-routes.ts'
import { nonChatHandler } from './non-chat-routes.ts'

/** Clients ask for it before they use newer parts of the API: the version of Ollama whose API this is. */
const ollamaVersion = '0.13.0'

export type OllamaRouteParts = Pick<Core, 'inventory' | 'modelsFor' | 'startedAt' | 'version' | 'config'>

/** Ollama's own API: `/api/chat`, `/api/generate`, `/api/embed`, and what its clients ask about models. */
export function registerOllamaRoutes(app: FastifyInstance, core: OllamaRouteParts, parts: RouteParts): void {
  const { inventory } = core
  const modifiedAt = new Date(core.startedAt).toISOString()

  app.post(ollamaChat.path, unlessEmpty(ollamaChat, asMessage))
  app.post(ollamaGenerate.path, unlessEmpty(ollamaGenerate, asGenerated))
  app.post(
    '/api/embed',
    nonChatHandler(nonChatEndpoints.embeddings, parts, body => ({
      request: embeddingsFromEmbed(body),
      write: (reply, { model }) => embedFromEmbeddings(reply, model),
    })),
  )
  app.post(
    '/api/embeddings',
    nonChatHandler(nonChatEndpoints.embeddings, parts, body => ({
      request: embeddingsFromPrompt(body),
      write: embeddingFromEmbeddings,
    })),
  )
  app.get('/api/version', () => ({ version: ollamaVersion, signalbox: core.version }))
  app.get('/api/tags', ({ principal }) => ({
    models: modelEntries(core.modelsFor(principal.name)).map(entry => ({ ...listed(entry), modified_at: modifiedAt })),
  }))
  app.get('/api/ps', ({ principal }) => ({
    models: core
      .modelsFor(principal.name)
      .filter(({ loaded }) => loaded === true)
      .map(model => ({
        ...listed({ id: model.id, models: [model], model }),
        // When a model will be unloaded is its server's own affair.
        expires_at: neverExpires,
        size_vram: model.sizeBytes ?? 0,
        context_length: model.contextTokens ?? 0,
      })),
  }))
  app.post('/api/show', ({ body }) => {
    const { model, name = model } = readBody(OllamaShowRequest, body)
    if (name === undefined) throw new GatewayError('invalid_request', 'model is missing.', { param: 'model' })
    return { ...described(modelsOf(name)), modified_at: modifiedAt }
  })

  /** The models that a name stands for. Throws `model_not_found`. */
  function modelsOf(name: string): readonly Model[] {
    return select([name], inventory.models(), core.config().values.MODEL_ALIASES).flatMap(({ models }) => models)
  }

  /** Answers requests without a prompt, with which clients have a model loaded: servers load models by themselves. */
  function unlessEmpty(protocol: Protocol, write: WriteSaid): RouteHandler {
    const chat = chatHandler(protocol, parts)
    const complete = nonChatHandler(nonChatEndpoints.completions, parts, body => {
      const { request, notes } = completionFromGenerate(body)
      return {
        request,
        notes,
        framing: lines,
        writer: ({ model }) => createGeneratedWriter(model),
        write: (completion, { model }) => generatedFromCompletion(completion, model),
      }
    })
    return async (incoming, reply) => {
      const { body } = incoming
      if (protocol === ollamaGenerate && continuesText(body)) return complete(incoming, reply)
      if (!asksNothing(body) || !isObject(body)) return chat(incoming, reply)
      const model = asString(body['model']) ?? 'auto'
      modelsOf(model)
      return reply.send({
        model,
        created_at: new Date(incoming.receivedAt).toISOString(),
        ...write({ content: '' }),
        done: true,
        done_reason: Number.parseInt(String(body['keep_alive']), 10) === 0 ? 'unload' : 'load',
      })
    }
  }
}

const neverExpires = '9999-12-31T23:59:59Z'

function listed({ id, model }: ModelEntry): JsonObject {
  // Clients cut it to its first letters, so that there must be some.
  const digest = model?.digest ?? hash('sha256', id)
  return { name: id, model: id, size: model?.sizeBytes ?? 0, digest, details: detailsOf(model) }
}

function detailsOf(model: Model | undefined): JsonObject {
  const family = model?.family ?? 'signalbox'
  return {
    parent_model: '',
    format: 'gguf',
    family,
    families: [family],
    parameter_size: model?.parametersB === undefined ? '' : `${model.parametersB}B`,
    quantization_level: model?.quantization ?? '',
  }
}

/** What clients decide by: which features they offer, and how much they send. */
function described(models: readonly Model[]): JsonObject {
  const model = models.length === 1 ? models[0] : undefined
  const details = detailsOf(model)
  const architecture = String(details['family'])
  const { contextTokens } = limitsOf(models)
  return {
    modelfile: '',
    parameters: '',
    template: '',
    details,
    model_info: {
      'general.architecture': architecture,
      ...(contextTokens === undefined ? {} : { [`${architecture}.context_length`]: contextTokens }),
    },
    capabilities: capabilityNames.filter(([, has]) => models.some(has)).map(([name]) => name),
  }
}

/** Ollama's names. What a server does not say is taken as there, as the router does; vision, reasoning and embedding are not. */
const capabilityNames: readonly (readonly [name: string, has: (model: Model) => boolean])[] = [
  ['completion', ({ capabilities }) => capabilities.chat !== false],
  ['tools', ({ capabilities }) => capabilities.chat !== false && capabilities.tools !== false],
  ['vision', ({ capabilities }) => capabilities.vision === true],
  ['thinking', ({ capabilities }) => capabilities.reasoning === true],
  ['embedding', ({ capabilities }) => capabilities.embeddings === true],
]
