import { z } from 'zod'
import { ollamaChat, ollamaGenerate } from '../../wire/ollama/protocol.ts'
import {
  OllamaChatRequest,
  OllamaEmbeddingsRequest,
  OllamaEmbedRequest,
  OllamaGenerateRequest,
  OllamaShowRequest,
} from '../../wire/ollama/schema.ts'
import { inference, requestHeaders, type RouteDescription } from './route-description.ts'

const error = z.looseObject({ error: z.string() }).meta({ id: 'OllamaErrorResponse' })
const also = ['application/x-ndjson']
const listing = { tag: 'Models in Ollama’s form', error }

const done = {
  model: z.string(),
  done: z.boolean(),
  done_reason: z.string(),
  prompt_eval_count: z.int().optional(),
  eval_count: z.int().optional(),
}

const ListedModel = z.looseObject({
  name: z.string(),
  model: z.string(),
  size: z.number(),
  digest: z.string(),
  details: z.looseObject({ family: z.string() }),
})

/** Ollama's own API. */
export const ollamaRoutes: readonly RouteDescription[] = [
  {
    method: 'post',
    path: ollamaChat.path,
    operationId: 'ollama_chat',
    tag: inference,
    summary: 'Chats in Ollama’s form; streamed unless `stream` is false.',
    headers: requestHeaders,
    body: OllamaChatRequest,
    response: z
      .looseObject({ ...done, message: z.looseObject({ role: z.string(), content: z.string() }) })
      .meta({ id: 'OllamaChatResponse' }),
    also,
    error,
  },
  {
    method: 'post',
    path: ollamaGenerate.path,
    operationId: 'ollama_generate',
    tag: inference,
    summary: 'An answer to one prompt in Ollama’s form, or with `suffix` or `raw` the text that continues it.',
    headers: requestHeaders,
    body: OllamaGenerateRequest,
    response: z.looseObject({ ...done, response: z.string() }).meta({ id: 'OllamaGenerateResponse' }),
    also,
    error,
  },
  {
    method: 'post',
    path: '/api/embed',
    operationId: 'ollama_embed',
    tag: inference,
    summary: 'Embeddings in Ollama’s form. A text that is too long is refused, never cut.',
    headers: requestHeaders,
    body: OllamaEmbedRequest,
    response: z
      .looseObject({ model: z.string(), embeddings: z.array(z.array(z.number())) })
      .meta({ id: 'OllamaEmbedResponse' }),
    error,
  },
  {
    method: 'post',
    path: '/api/embeddings',
    operationId: 'ollama_embeddings',
    tag: inference,
    summary: 'One embedding, in the older form.',
    headers: requestHeaders,
    body: OllamaEmbeddingsRequest,
    response: z.looseObject({ embedding: z.array(z.number()) }).meta({ id: 'OllamaEmbeddingsResponse' }),
    error,
  },
  {
    ...listing,
    method: 'get',
    path: '/api/tags',
    operationId: 'ollama_list_models',
    summary: 'Every model of every server, and the names that leave the choice to Signalbox.',
    response: z.looseObject({ models: z.array(ListedModel) }).meta({ id: 'OllamaTagsResponse' }),
  },
  {
    ...listing,
    method: 'get',
    path: '/api/ps',
    operationId: 'ollama_loaded_models',
    summary: 'The models that are in memory, as far as their servers say.',
    response: z.looseObject({ models: z.array(ListedModel) }).meta({ id: 'OllamaPsResponse' }),
  },
  {
    ...listing,
    method: 'post',
    path: '/api/show',
    operationId: 'ollama_show_model',
    summary: 'What a model can do, and its context.',
    body: OllamaShowRequest,
    response: z
      .looseObject({ capabilities: z.array(z.string()), model_info: z.looseObject({}) })
      .meta({ id: 'OllamaShowResponse' }),
  },
  {
    ...listing,
    method: 'get',
    path: '/api/version',
    operationId: 'ollama_version',
    summary: 'The version of Ollama whose API this is, and Signalbox’s own.',
    response: z.looseObject({ version: z.string(), signalbox: z.string() }).meta({ id: 'OllamaVersionResponse' }),
  },
]
