import type { ErrandName } from '../wire/errands.ts'
import type { ChatRequest } from '../wire/openai.ts'

/** What a request needs, read off once and used for every candidate. */
export interface Measured {
  /** What is asked for where it is no chat. */
  errand?: ErrandName
  promptTokens: number
  /** False when the count is an estimate because counting exactly would have held up other requests. */
  exact: boolean
  /** Output tokens the caller asked room for; undefined when he did not say. */
  outputTokens: number | undefined
  tools: boolean
  /** The caller insists on a tool call, or on one tool. */
  forcedTools: boolean
  vision: boolean
  json: boolean
  logprobs: boolean
  logitBias: boolean
  manyChoices: boolean
}

/** `promptTokens` is counted by the caller of this function, since counting keeps a cache. */
export function measure(request: ChatRequest, prompt: { tokens: number; exact: boolean }): Measured {
  const choice = request.tool_choice
  return {
    promptTokens: prompt.tokens,
    exact: prompt.exact,
    outputTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    tools: (request.tools?.length ?? 0) > 0 && choice !== 'none',
    forcedTools: choice === 'required' || (typeof choice === 'object' && choice !== null),
    vision: request.messages.some(
      message => Array.isArray(message.content) && message.content.some(part => part.type === 'image_url'),
    ),
    json: request.response_format?.type === 'json_object' || request.response_format?.type === 'json_schema',
    logprobs: request['logprobs'] === true,
    logitBias: Object.keys(request['logit_bias'] ?? {}).length > 0,
    manyChoices: (request.n ?? 1) > 1,
  }
}

/** The same for what is no chat. `prompt` is the longest text that must be read at once. */
export function measureErrand(
  errand: ErrandName,
  prompt: { tokens: number; exact: boolean },
  outputTokens: number,
): Measured {
  const nothing = { tools: false, forcedTools: false, vision: false, json: false }
  const nothingRare = { logprobs: false, logitBias: false, manyChoices: false }
  return { errand, promptTokens: prompt.tokens, exact: prompt.exact, outputTokens, ...nothing, ...nothingRare }
}
