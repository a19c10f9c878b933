import { z } from 'zod'
import { UsageQuery } from '../../ledger/usage.ts'
import { ChatRequest } from '../../wire/chat/schema.ts'
import { chat } from '../../wire/chat/protocol.ts'
import { InfillRequest } from '../../wire/infill.ts'
import { MessagesRequest } from '../../wire/messages/schema.ts'
import { messages } from '../../wire/messages/protocol.ts'
import { nonChatEndpoints } from '../../wire/non-chat.ts'
import { ResponsesRequest } from '../../wire/responses/schema.ts'
import { responses } from '../../wire/responses/protocol.ts'
import { maxKeyCharacters } from '../idempotency.ts'
import * as answer from './responses.ts'

/** One HTTP route as the OpenAPI document describes it. */
export interface RouteDescription {
  method: 'get' | 'post' | 'put' | 'delete'
  /** In OpenAPI's form, `{name}` for parameters. */
  path: string
  operationId: string
  tag: string
  summary: string
  body?: z.ZodType
  query?: z.ZodObject
  params?: z.ZodObject
  headers?: z.ZodObject
  response: z.ZodType
  /** Other content types of the same answer. */
  also?: readonly string[]
  /** The error response. */
  error: z.ZodType
}

const id = z.object({ id: z.string() })
const openAi = answer.OpenAiErrorResponse
const eventStream = 'text/event-stream'
const inference = 'Inference'
const routing = 'Routing and accounting'

/** What requests for a model may carry; routing options have headers of their own (docs/routing.md). */
const requestHeaders = z.object({
  'idempotency-key': z
    .string()
    .max(maxKeyCharacters)
    .optional()
    .describe(
      'A request with the key of an earlier one of the same API key gets its buffered answer again, with `idempotent-replayed: true`, for 24 hours.',
    ),
  'x-request-id': z
    .string()
    .optional()
    .describe('The caller’s own id of the request: comes back in the response and is kept in the ledger.'),
})

/** Everything on the port that is not an operation. Paths under `/v1` are also served without it. */
export const inferenceRoutes: readonly RouteDescription[] = [
  {
    method: 'post',
    path: `/v1${chat.path}`,
    operationId: 'create_chat_completion',
    tag: inference,
    summary: 'Chat completions in OpenAI’s form. `model` is a model’s name, or `auto` to let Signalbox choose.',
    headers: requestHeaders,
    body: ChatRequest,
    response: answer.ChatCompletionResponse,
    also: [eventStream],
    error: openAi,
  },
  {
    method: 'post',
    path: `/v1${messages.path}`,
    operationId: 'create_message',
    tag: inference,
    summary: 'Messages in Anthropic’s form.',
    headers: requestHeaders,
    body: MessagesRequest,
    response: answer.MessagesResponse,
    also: [eventStream],
    error: answer.MessagesErrorResponse,
  },
  {
    method: 'post',
    path: '/v1/messages/count_tokens',
    operationId: 'count_message_tokens',
    tag: inference,
    summary: 'Counts the tokens of a Messages request without running it. Always answers with a number.',
    body: z.unknown(),
    response: answer.TokenCount,
    error: answer.MessagesErrorResponse,
  },
  {
    method: 'post',
    path: `/v1${responses.path}`,
    operationId: 'create_response',
    tag: inference,
    summary: 'Responses in OpenAI’s form.',
    headers: requestHeaders,
    body: ResponsesRequest,
    response: answer.ResponsesResponse,
    also: [eventStream],
    error: openAi,
  },
  {
    method: 'get',
    path: '/v1/responses/{id}',
    operationId: 'get_response',
    tag: inference,
    summary: 'A recent response of `POST /v1/responses`, stored in memory.',
    params: id,
    response: answer.ResponsesResponse,
    error: openAi,
  },
  {
    method: 'delete',
    path: '/v1/responses/{id}',
    operationId: 'delete_response',
    tag: inference,
    summary: 'Forgets a stored answer.',
    params: id,
    response: answer.DeletedResponse,
    error: openAi,
  },
  {
    method: 'post',
    path: `/v1${nonChatEndpoints.embeddings.path}`,
    operationId: 'create_embeddings',
    tag: inference,
    summary: 'Embeddings in OpenAI’s form.',
    headers: requestHeaders,
    body: nonChatEndpoints.embeddings.schema,
    response: answer.EmbeddingsResponse,
    error: openAi,
  },
  {
    method: 'post',
    path: `/v1${nonChatEndpoints.completions.path}`,
    operationId: 'create_completion',
    tag: inference,
    summary: 'Text completions, also with a `suffix`.',
    headers: requestHeaders,
    body: nonChatEndpoints.completions.schema,
    response: answer.CompletionsResponse,
    also: [eventStream],
    error: openAi,
  },
  {
    method: 'post',
    path: `/v1${nonChatEndpoints.rerank.path}`,
    operationId: 'rerank',
    tag: inference,
    summary: 'Ranks documents by their relevance to a query.',
    headers: requestHeaders,
    body: nonChatEndpoints.rerank.schema,
    response: answer.RerankResponse,
    error: openAi,
  },
  {
    method: 'post',
    path: '/v1/infill',
    operationId: 'infill',
    tag: inference,
    summary: 'Fills in the middle, in llama-server’s form.',
    headers: requestHeaders,
    body: InfillRequest,
    response: answer.InfillResponse,
    also: [eventStream],
    error: openAi,
  },
  {
    method: 'get',
    path: '/v1/models',
    operationId: 'list_models',
    tag: inference,
    summary: 'Every model of every server, and the names that leave the choice to Signalbox.',
    response: answer.ModelListResponse,
    error: openAi,
  },
  {
    method: 'get',
    path: '/v1/models/{id}',
    operationId: 'get_model',
    tag: inference,
    summary: 'One model.',
    params: id,
    response: answer.ModelResponse,
    error: openAi,
  },
  {
    method: 'post',
    path: '/v1/route',
    operationId: 'route',
    tag: routing,
    summary: 'Explains which model a chat completion request would get now. Runs nothing.',
    body: ChatRequest,
    response: answer.RouteResponse,
    error: openAi,
  },
  {
    method: 'get',
    path: '/v1/decisions/{id}',
    operationId: 'get_decision',
    tag: routing,
    summary: 'The decision made for an earlier request, by its `x-signalbox-request-id`.',
    params: id,
    response: answer.DecisionResponse,
    error: openAi,
  },
  {
    method: 'get',
    path: '/v1/usage',
    operationId: 'get_usage',
    tag: routing,
    summary: 'Tokens, cost and latency over a period, from the ledger.',
    query: z.object(UsageQuery.shape).extend({ format: z.enum(['json', 'csv']).default('json') }),
    response: answer.UsageResponse,
    also: ['text/csv'],
    error: openAi,
  },
  {
    method: 'get',
    path: '/health',
    operationId: 'get_health',
    tag: 'Service',
    summary: 'Whether Signalbox answers; with an API key, also which servers it sees.',
    response: answer.HealthResponse,
    error: openAi,
  },
  {
    method: 'get',
    path: '/openapi.json',
    operationId: 'get_openapi_document',
    tag: 'Service',
    summary: 'This document.',
    response: z.looseObject({ openapi: z.string() }),
    error: openAi,
  },
  {
    method: 'get',
    path: '/',
    operationId: 'get_root',
    tag: 'Service',
    summary: 'Name, version and the main paths.',
    response: answer.RootResponse,
    error: openAi,
  },
]
