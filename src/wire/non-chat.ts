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
  /** Tokens that all its texts take together at most: no text has more tokens than bytes. */
  mostTokens(request: NonChatRequests[Name]): number
  /** Answers that are generated. */
  choices(request: NonChatRequests[Name]): number
}

export const nonChatEndpoints: { readonly [Name in NonChatType]: NonChatEndpoint<Name> } = {
  embeddings: {
    name: 'embeddings',
    path: '/embeddings',
    schema: EmbeddingsRequest,
    streams: false,
    publish: (reply, { model }) => ({ ...reply, object: 'list', model }),
    longest: ({ input }) => longestOf(input),
    mostTokens: ({ input }) => mostTokensOf(input),
    choices: () => 1,
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
    mostTokens: ({ prompt, suffix }) => mostTokensOf(prompt) + listOf(prompt).length * Buffer.byteLength(suffix ?? ''),
    choices: ({ prompt, n, best_of: bestOf }) =>
      listOf(prompt).length * Math.max(...[n, bestOf].map(count => (typeof count === 'number' ? count : 1))),
  },
  rerank: {
    name: 'rerank',
    path: '/rerank',
    schema: RerankRequest,
    streams: false,
    publish: (reply, { model }) => ({ ...reply, model }),
    longest: ({ query, documents }) => query + longestOf(textsOf(documents)),
    mostTokens: ({ query, documents }) =>
      Buffer.byteLength(query) * documents.length + mostTokensOf(textsOf(documents)),
    choices: () => 1,
  },
}

function longestOf(texts: Texts): string | number {
  const longest = listOf(texts).reduce((a, b) => (b.length > a.length ? b : a))
  return typeof longest === 'string' ? longest : longest.length
}

function mostTokensOf(texts: Texts): number {
  return listOf(texts).reduce(
    (sum, each) => sum + (typeof each === 'string' ? Buffer.byteLength(each) : each.length),
    0,
  )
}

/** The texts one by one, whatever form they came in. */
function listOf(texts: Texts): readonly (string | readonly number[])[] {
  if (typeof texts === 'string') return [texts]
  return typeof texts[0] === 'number' ? [texts as number[]] : (texts as string[] | number[][])
}

function textsOf(documents: RerankRequest['documents']): string[] {
  return documents.map(each => (typeof each === 'string' ? each : each.text))
}
