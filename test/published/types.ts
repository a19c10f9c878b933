import type Anthropic from '@anthropic-ai/sdk'
import type OpenAI from 'openai'

/** What OpenAI and Anthropic publish of their answers, as their SDKs have it. Each name is unique among all types. */
export type PublishedChat = OpenAI.ChatCompletion
export type PublishedChatChunk = OpenAI.ChatCompletionChunk
export type PublishedCompletion = OpenAI.Completion
export type PublishedEmbeddings = OpenAI.CreateEmbeddingResponse
export type PublishedResponse = OpenAI.Responses.Response
export type PublishedResponseEvent = OpenAI.Responses.ResponseStreamEvent
export type PublishedOpenAiModel = OpenAI.Model
export type PublishedOpenAiModels = { object: 'list'; data: OpenAI.Model[] }
export type PublishedOpenAiError = { error: OpenAI.ErrorObject }
export type PublishedInputTokens = OpenAI.Responses.InputTokenCountResponse
export type PublishedMessage = Anthropic.Message
export type PublishedMessageEvent = Anthropic.RawMessageStreamEvent | { type: 'ping' } | Anthropic.ErrorResponse
export type PublishedTokenCount = Anthropic.MessageTokensCount
export type PublishedAnthropicModel = Anthropic.ModelInfo
export type PublishedAnthropicModels = {
  data: Anthropic.ModelInfo[]
  has_more: boolean
  first_id: string | null
  last_id: string | null
}
export type PublishedAnthropicError = Anthropic.ErrorResponse
