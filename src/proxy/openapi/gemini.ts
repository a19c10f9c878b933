import { z } from 'zod'
import { GeminiBatchEmbedRequest, GeminiEmbedRequest, GeminiRequest } from '../../wire/gemini/schema.ts'
import { eventStream, inference, requestHeaders, type RouteDescription } from './route-description.ts'

const id = z.object({ id: z.string() })
const key = z
  .string()
  .optional()
  .describe('The API key, where it is sent neither as `x-goog-api-key` nor as a bearer token.')
const query = z.object({ key })
const tag = 'Models in Gemini’s form'

const error = z
  .looseObject({ error: z.looseObject({ code: z.int(), message: z.string(), status: z.string() }) })
  .meta({ id: 'GeminiErrorResponse' })

const GeminiResponse = z
  .looseObject({
    candidates: z.array(
      z.looseObject({
        index: z.int(),
        content: z.looseObject({ role: z.literal('model'), parts: z.array(z.looseObject({})) }),
        finishReason: z.string().optional(),
      }),
    ),
    usageMetadata: z.looseObject({ promptTokenCount: z.int(), totalTokenCount: z.int() }).optional(),
    modelVersion: z.string(),
    responseId: z.string(),
  })
  .meta({ id: 'GeminiResponse' })

const GeminiModel = z
  .looseObject({
    name: z.string(),
    baseModelId: z.string(),
    inputTokenLimit: z.int().optional(),
    outputTokenLimit: z.int().optional(),
    supportedGenerationMethods: z.array(z.string()),
  })
  .meta({ id: 'GeminiModel' })

const GeminiEmbedding = z.looseObject({ values: z.array(z.number()) }).meta({ id: 'GeminiEmbedding' })

/** Google's Gemini API. */
export const geminiRoutes: readonly RouteDescription[] = [
  {
    method: 'post',
    path: '/v1beta/models/{id}:generateContent',
    operationId: 'gemini_generate_content',
    tag: inference,
    summary: 'An answer in Gemini’s form.',
    params: id,
    query,
    headers: requestHeaders,
    body: GeminiRequest,
    response: GeminiResponse,
    error,
  },
  {
    method: 'post',
    path: '/v1beta/models/{id}:streamGenerateContent',
    operationId: 'gemini_stream_generate_content',
    tag: inference,
    summary: 'The same as a stream: server-sent events with `alt=sse`, else the elements of one JSON array.',
    params: id,
    query: query.extend({ alt: z.enum(['sse', 'json']).optional() }),
    headers: requestHeaders,
    body: GeminiRequest,
    response: z.array(GeminiResponse),
    also: [eventStream],
    error,
  },
  {
    method: 'post',
    path: '/v1beta/models/{id}:countTokens',
    operationId: 'gemini_count_tokens',
    tag: inference,
    summary: 'Counts the tokens of a request without running it. Always answers with a number.',
    params: id,
    query,
    body: z.unknown(),
    response: z.object({ totalTokens: z.int() }).meta({ id: 'GeminiTokenCount' }),
    error,
  },
  {
    method: 'post',
    path: '/v1beta/models/{id}:embedContent',
    operationId: 'gemini_embed_content',
    tag: inference,
    summary: 'The embedding of a text, in Gemini’s form.',
    params: id,
    query,
    headers: requestHeaders,
    body: GeminiEmbedRequest,
    response: z.looseObject({ embedding: GeminiEmbedding }).meta({ id: 'GeminiEmbedResponse' }),
    error,
  },
  {
    method: 'post',
    path: '/v1beta/models/{id}:batchEmbedContents',
    operationId: 'gemini_batch_embed_contents',
    tag: inference,
    summary: 'The embeddings of several texts, in Gemini’s form.',
    params: id,
    query,
    headers: requestHeaders,
    body: GeminiBatchEmbedRequest,
    response: z.looseObject({ embeddings: z.array(GeminiEmbedding) }).meta({ id: 'GeminiBatchEmbedResponse' }),
    error,
  },
  {
    method: 'get',
    path: '/v1beta/models',
    operationId: 'gemini_list_models',
    tag,
    summary: 'Every model of every server, and the names that leave the choice to Signalbox.',
    query: query.extend({ pageSize: z.int().optional(), pageToken: z.string().optional() }),
    response: z
      .looseObject({ models: z.array(GeminiModel), nextPageToken: z.string().optional() })
      .meta({ id: 'GeminiModelList' }),
    error,
  },
  {
    method: 'get',
    path: '/v1beta/models/{id}',
    operationId: 'gemini_get_model',
    tag,
    summary: 'One model.',
    params: id,
    query,
    response: GeminiModel,
    error,
  },
]
