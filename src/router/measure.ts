import type { ChatRequest } from '../wire/chat/schema.ts'
import { toolChoiceOf } from '../wire/chat/tool-choice.ts'
import { kindsOf, tagged } from './kinds.ts'
import { shapeOf } from './kinds/shape.ts'
import { noEffect, type TextEffect } from './success.ts'
import { judgeByLength, unjudged, type TextJudgement } from './text/judge.ts'
import type { NonChatType } from '../wire/non-chat.ts'

/** A prompt as it was counted; see `Measured`. */
export interface PromptCount {
  tokens: number
  exact: boolean
  error: number
}

/** What a request needs, measured once and used for every candidate. */
export interface Measured {
  /** What is asked for where it is no chat. */
  nonChat?: NonChatType | 'media'
  promptTokens: number
  /** Tokens of all texts together at most, where they are read one by one. */
  allPromptTokens?: number
  /** Answers asked for, where more than one. */
  choices?: number
  /** What servers counted themselves, by the model's id, where a prompt comes near a limit. */
  serverCounts?: Readonly<Record<string, number>>
  /** False when the count is an estimate because counting exactly would have held up other requests. */
  exact: boolean
  /** The fraction of `promptTokens` by which an estimate may be off, either way; 0 when exact. */
  error: number
  /** Output tokens the caller asked room for; undefined where there is no limit. */
  outputTokens: number | undefined
  tools: boolean
  /** The caller insists on a tool call, or on one tool. */
  forcedTools: boolean
  vision: boolean
  json: boolean
  logprobs: boolean
  logitBias: boolean
  manyChoices: boolean
  /** Messages so far. */
  depth: number
  /** Programming language of the first fenced block that names one. */
  language: string | undefined
  /** Probabilities of kinds of tasks; they sum to 1. */
  categories: Readonly<Record<string, number>>
  /** What the text says beyond that. */
  effect: TextEffect
}

/**
 * `prompt` is counted by the caller of this function, since counting keeps a cache; `judge` comes with the router's weights.
 * What kind of task it is follows from the caller's `tags` where one names a kind, else from all that the request shows.
 */
export function measure(
  request: ChatRequest,
  prompt: PromptCount,
  judge: (text: string) => TextJudgement = judgeByLength,
  tags: readonly string[] = [],
): Measured {
  const choice = request.tool_choice
  const shape = shapeOf(request)
  const kind = tagged(tags)
  const { categories, effect } =
    kind === undefined ? kindsOf(shape, judge(shape.text)) : { categories: { [kind]: 1 }, effect: noEffect }
  return {
    promptTokens: prompt.tokens,
    exact: prompt.exact,
    error: prompt.error,
    outputTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    tools: (request.tools?.length ?? 0) > 0 && choice !== 'none',
    forcedTools: toolChoiceOf(choice).forced,
    vision: request.messages.some(
      message => Array.isArray(message.content) && message.content.some(part => part.type === 'image_url'),
    ),
    json: request.response_format?.type === 'json_object' || request.response_format?.type === 'json_schema',
    logprobs: request['logprobs'] === true,
    logitBias: Object.keys(request['logit_bias'] ?? {}).length > 0,
    manyChoices: (request.n ?? 1) > 1,
    ...(request.n != null && request.n > 1 && { choices: request.n }),
    depth: request.messages.length,
    language: /```([a-z+#]{1,20})\s/i.exec(shape.text.slice(0, 8192))?.[1]?.toLowerCase(),
    categories,
    effect,
  }
}

/** The likeliest kind of task; empty where there is none. */
export function likeliest(categories: Readonly<Record<string, number>>): string {
  return Object.entries(categories).reduce((best, entry) => (entry[1] > best[1] ? entry : best), ['', -1])[0]
}

/** The same for what is passed on unread. */
export function measureMedia(): Measured {
  return measureNonChat('media', { tokens: 0, exact: true, error: 0 }, { outputTokens: 0 })
}

/** What all texts of a request that is no chat amount to. */
type TextTotals = Pick<Measured, 'allPromptTokens' | 'choices' | 'outputTokens'>

/** The same for what is no chat. `prompt` is the longest text that must be read at once. */
export function measureNonChat(nonChat: NonChatType | 'media', prompt: PromptCount, totals: TextTotals): Measured {
  const nothing = { tools: false, forcedTools: false, vision: false, json: false }
  const nothingRare = { logprobs: false, logitBias: false, manyChoices: false }
  const unread = { depth: 0, language: undefined, ...unjudged }
  return {
    nonChat,
    promptTokens: prompt.tokens,
    exact: prompt.exact,
    error: prompt.error,
    ...totals,
    ...nothing,
    ...nothingRare,
    ...unread,
  }
}
