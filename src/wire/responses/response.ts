import { contentText } from '../chat/content-text.ts'
import { readUsage, type ChatCompletion } from '../chat/schema.ts'
import type { ReplyFacts } from '../protocol.ts'
import { argumentsText } from '../chat/call-pieces.ts'
import { asObject, asObjects, asString, compact, type JsonObject } from '../../json.ts'
import {
  isIrreplaceable,
  messageDetails,
  responsesFormat,
  seal,
  type ReasoningDetail,
} from '../chat/reasoning-details.ts'
import { compactionItem } from './compaction.ts'
import { writeResponsesUsage, type ResponsesRequest } from './schema.ts'
import type { ResponsesAsk } from './request.ts'
import type { Usage } from '../usage.ts'

/** Converts a buffered chat response to a Response object. */
export function responseFromCompletion(completion: ChatCompletion, reply: ReplyFacts, ask: ResponsesAsk): JsonObject {
  const choice: JsonObject = asObject(completion.choices[0]) ?? {}
  const message = asObject(choice['message']) ?? {}
  const ending = { ...endingOf(choice['finish_reason']), usage: readUsage(completion.usage) }
  if (ask.compaction) {
    const output = [compactionItem(contentText(message['content']), itemId('cmp', reply, 0))]
    return responseObject(reply, ask.asked, { ...ending, output })
  }
  const details = messageDetails(message)
  const texts: MessageContent = {
    text: contentText(message['content']),
    refusal: asString(message['refusal']) ?? '',
    logprobs: textLogprobs(choice),
  }
  const output: JsonObject[] = []
  const nextId = (kind: string) => itemId(kind, reply, output.length)
  if (details.length > 0) output.push(reasoningItem(details, nextId('rs')))
  if (texts.text !== '' || texts.refusal !== '') output.push(messageItem(texts, nextId('msg'), 'completed'))
  for (const call of asObjects(message['tool_calls'])) {
    const called = asObject(call['function']) ?? {}
    const item = {
      itemId: nextId('fc'),
      callId: asString(call['id']) || callId(reply, output.length),
      functionName: asString(called['name']) ?? '',
      arguments: argumentsText(called['arguments']),
    }
    output.push(ask.bridge.callItem(item))
  }
  return responseObject(reply, ask.asked, { ...ending, output })
}

export interface ResponseState {
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  output: readonly JsonObject[]
  incompleteReason?: string
  error?: { code: string; message: string }
  usage?: Usage | undefined
}

/** The Response object: the request's fields, repeated, and the state of the answer. */
export function responseObject(reply: ReplyFacts, asked: ResponsesRequest, state: ResponseState): JsonObject {
  return {
    id: responseId(reply),
    object: 'response',
    created_at: reply.createdSeconds,
    status: state.status,
    error: state.error ?? null,
    incomplete_details: state.incompleteReason === undefined ? null : { reason: state.incompleteReason },
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    metadata: asked.metadata ?? {},
    model: reply.model,
    output: state.output,
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    previous_response_id: asked.previous_response_id ?? null,
    prompt_cache_key: asked['prompt_cache_key'] ?? null,
    reasoning: { effort: null, summary: null, ...asked.reasoning },
    store: asked.store ?? true,
    temperature: asked['temperature'] ?? null,
    text: { format: { type: 'text' }, ...asked.text },
    tool_choice: asked.tool_choice ?? 'auto',
    tools: asked.tools ?? [],
    top_p: asked['top_p'] ?? null,
    truncation: asked['truncation'] ?? 'disabled',
    ...(state.usage === undefined ? {} : { usage: writeResponsesUsage(state.usage) }),
    access_programs: null,
  }
}

function responseId(reply: ReplyFacts): string {
  return `resp_${reply.id}`
}

/** `place` is the item's index in the output. */
export function itemId(kind: string, reply: ReplyFacts, place: number): string {
  return `${kind}_${reply.id}_${place}`
}

export function callId(reply: ReplyFacts, place: number): string {
  return `call_${reply.id}_${place}`
}

export function endingOf(finishReason: unknown): Pick<ResponseState, 'status' | 'incompleteReason'> {
  if (finishReason === 'length') return { status: 'incomplete', incompleteReason: 'max_output_tokens' }
  if (finishReason === 'content_filter') return { status: 'incomplete', incompleteReason: 'content_filter' }
  return { status: 'completed' }
}

export interface MessageContent {
  text: string
  refusal: string
  /** Of the text's tokens, where they were asked for. */
  logprobs: JsonObject[]
}

/** The log probabilities of the text in a choice or a piece of one. */
export function textLogprobs(choice: JsonObject): JsonObject[] {
  return asObjects(asObject(choice['logprobs'])?.['content'])
}

export function messageItem(texts: MessageContent, id: string, status: string): JsonObject {
  const content = [
    ...(texts.text === '' ? [] : [textPart(texts.text, texts.logprobs)]),
    ...(texts.refusal === '' ? [] : [refusalPart(texts.refusal)]),
  ]
  return { id, type: 'message', status, role: 'assistant', content }
}

export function textPart(text: string, logprobs: readonly JsonObject[]): JsonObject & { type: string } {
  return { type: 'output_text', text, annotations: [], logprobs }
}

export function refusalPart(refusal: string): JsonObject & { type: string } {
  return { type: 'refusal', refusal }
}

/**
 * Reasoning as an item: its text as summaries, and in `encrypted_content` what the next request must return. OpenAI's
 * own value is kept as it is; another vendor's signature or encrypted data is sealed into it.
 */
export function reasoningItem(details: readonly ReasoningDetail[], id: string): JsonObject {
  const texts = details.map(detail => detail.text ?? detail.summary ?? '').filter(text => text !== '')
  const secrets = details.filter(isIrreplaceable)
  const [only] = secrets
  const native =
    secrets.length === 1 && only?.format === responsesFormat && (only.id == null || only.id === id)
      ? only.data
      : undefined
  return compact({
    id,
    type: 'reasoning',
    summary: texts.map(text => ({ type: 'summary_text', text })),
    encrypted_content: native ?? (secrets.length === 0 ? undefined : seal(details)),
  })
}
