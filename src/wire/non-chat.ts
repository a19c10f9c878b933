import { z } from 'zod'
import { textAnswer, type AnswerFacts } from './chat/answer.ts'
import { ModelName } from './model-name.ts'
import { TokenLimit } from './token-limit.ts'

/** Requests other than chat. Like chat completions they are parsed loosely and unknown fields are forwarded. */

const positiveInteger = z.int().min(1)
const tokens = z.array(z.int().min(0)).min(1)

/** One text, several texts, or texts that are already tokens. */
const texts = z.union([z.string(), z.array(z.string()).min(1), tokens, z.array(tokens).min(1)])
type Texts = z.output<typeof texts>

export const EmbeddingsRequest = z.looseObject({
  model: ModelName.default('auto'),
  input: texts,
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: positiveInteger.nullish(),
})
export type EmbeddingsRequest = z.output<typeof EmbeddingsRequest>

export const CompletionsRequest = z.looseObject({
  model: ModelName.default('auto'),
  prompt: texts.default(''),
  /** The text after the gap to be filled. */
  suffix: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: TokenLimit,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
})
export type CompletionsRequest = z.output<typeof CompletionsRequest>

export const RerankRequest = z.looseObject({
  model: ModelName.default('auto'),
  query: z.string(),
  documents: z.array(z.union([z.string(), z.looseObject({ text: z.string() })])).min(1),
  top_n: positiveInteger.nullish(),
})
export type RerankRequest = z.output<typeof RerankRequest>

export interface NonChatRequests {
  embeddings: EmbeddingsRequest
  completions: CompletionsRequest
  rerank: RerankRequest
}
export type NonChatType = keyof NonChatRequests

/** A buffered response, in OpenAI's shape (rerank: in Jina's, which all servers share). */
export interface NonChatReply {
  usage?: unknown
  choices?: readonly { text?: unknown; [field: string]: unknown }[]
  [field: string]: unknown
}

export interface NonChatEndpoint<Name extends NonChatType> {
  readonly name: Name
  /** The path without the base URL's `/v1`; OpenAI-compatible servers use the same path. */
  readonly path: string
  readonly schema: z.ZodType<NonChatRequests[Name]>
  readonly streams: boolean
  /** A buffered answer with every key that is published. */
  publish(reply: NonChatReply, facts: AnswerFacts): object
  /** The longest text that a model must read at once, as characters or as a token count. */
  longest(request: NonChatRequests[Name]): string | number
}

export const nonChatEndpoints: { readonly [Name in NonChatType]: NonChatEndpoint<Name> } = {
  embeddings: {
    name: 'embeddings',
    path: '/embeddings',
    schema: EmbeddingsRequest,
    streams: false,
    publish: (reply, { model }) => ({ ...reply, object: 'list', model }),
    longest: ({ input }) => longestOf(input),
  },
  completions: {
    name: 'completions',
    path: '/completions',
    schema: CompletionsRequest,
    streams: true,
    publish: textAnswer,
    longest({ prompt, suffix }) {
      const longest = longestOf(prompt)
      return typeof longest === 'string' ? longest + (suffix ?? '') : longest
    },
  },
  rerank: {
    name: 'rerank',
    path: '/rerank',
    schema: RerankRequest,
    streams: false,
    publish: (reply, { model }) => ({ ...reply, model }),
    longest: ({ query, documents }) =>
      query + longestOf(documents.map(each => (typeof each === 'string' ? each : each.text))),
  },
}

function longestOf(texts: Texts): string | number {
  if (typeof texts === 'string') return texts
  const lists = texts as readonly (string | number | readonly number[])[]
  if (typeof lists[0] === 'number') return lists.length
  const longest = (lists as readonly (string | readonly number[])[]).reduce((a, b) => (b.length > a.length ? b : a))
  return typeof longest === 'string' ? longest : longest.length
}
