import { compact, isObject, type JsonObject } from '../../json.ts'
import { argumentsText } from '../chat/call-pieces.ts'
import { createMadeCallIds } from '../chat/made-call-ids.ts'
import type { ChatMessage, ChatRequest } from '../chat/schema.ts'
import type { CompletionsRequest, EmbeddingsRequest } from '../non-chat.ts'
import { filledFields, omittedNote } from '../notes.ts'
import { readBody, wrongField } from '../read-body.ts'
import {
  OllamaChatRequest,
  OllamaEmbeddingsRequest,
  OllamaEmbedRequest,
  OllamaGenerateRequest,
  sameOptions,
  type OllamaMessage,
  type OllamaSettings,
} from './schema.ts'

interface Translated<Request> {
  request: Request
  notes: string[]
}

/**
 * Converts a chat request to chat completions. What only an Ollama server knows is kept under `ollama`, from where it is
 * restored for one. Throws `invalid_request`.
 */
export function chatFromOllama(body: unknown): Translated<ChatRequest> {
  const asked = readBody(OllamaChatRequest, body)
  if (asked.messages.length === 0) throw wrongField('messages', 'a list with at least one message')
  const { messages, tools, ...rest } = asked
  const request = compact({
    ...chatFields(asked),
    messages: chatMessages(messages),
    tools: tools?.length ? tools : undefined,
  })
  return { request: request as ChatRequest, notes: notesOn(rest) }
}

/** The same for a single prompt. */
export function chatFromGenerate(body: unknown): Translated<ChatRequest> {
  const asked = readBody(OllamaGenerateRequest, body)
  const { prompt, system, images, suffix: _suffix, raw: _raw, ...rest } = asked
  const messages = [
    ...(system ? [{ role: 'system', content: system }] : []),
    { role: 'user', content: contentOf(prompt, images) },
  ]
  const request = compact({ ...chatFields(asked), messages })
  return { request: request as ChatRequest, notes: notesOn(rest) }
}

/** A prompt to be continued as it is, or one with a gap to be filled. */
export function completionFromGenerate(body: unknown): Translated<CompletionsRequest> {
  const asked = readBody(OllamaGenerateRequest, body)
  const { model, prompt, suffix, raw: _raw, stream: _stream, options: _options, ...others } = asked
  const { sampling, rest } = splitOptions(asked)
  const request = compact({ model, prompt, suffix, ...streaming(asked), ...sampling })
  const dropped = [...filledFields(others), ...Object.keys(rest).map(name => `options.${name}`)]
  return { request, notes: dropped.map(name => omittedNote(name)) }
}

/** Whether a generate request continues a text instead of answering a message. */
export function continuesText(body: unknown): boolean {
  return isObject(body) && (body.raw === true || (typeof body.suffix === 'string' && body.suffix !== ''))
}

/** Whether a request has nothing to answer; clients send such a one to have the model loaded or unloaded. */
export function asksNothing(body: unknown): boolean {
  if (!isObject(body)) return false
  const { messages, prompt } = body
  const hasMessages = Array.isArray(messages) && messages.length > 0
  return !hasMessages && (prompt === undefined || prompt === '') && !continuesText(body)
}

/** `POST /api/embed`. A text that is too long is refused, never cut. */
export function embeddingsFromEmbed(body: unknown): EmbeddingsRequest {
  const { model, input, dimensions } = readBody(OllamaEmbedRequest, body)
  return compact({ model, input, dimensions, encoding_format: 'float' as const })
}

/** `POST /api/embeddings`. */
export function embeddingsFromPrompt(body: unknown): EmbeddingsRequest {
  const { model, prompt } = readBody(OllamaEmbeddingsRequest, body)
  return { model, input: prompt, encoding_format: 'float' }
}

function chatFields(asked: OllamaSettings): JsonObject {
  const { model, think, keep_alive } = asked
  const { sampling, rest } = splitOptions(asked)
  const kept = compact({
    options: Object.keys(rest).length === 0 ? undefined : rest,
    keep_alive,
    think: think === true ? true : undefined,
  })
  return {
    model,
    ...streaming(asked),
    ...sampling,
    response_format: responseFormat(asked.format),
    reasoning_effort: think === false ? 'none' : typeof think === 'string' && think !== '' ? think : undefined,
    ollama: Object.keys(kept).length === 0 ? undefined : kept,
  }
}

/** The fields that `chatFields` translates; and `truncate` and `shift`, for a prompt that is too long is always refused. */
const translated: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'format',
  'options',
  'think',
  'keep_alive',
  'truncate',
  'shift',
])

function notesOn(rest: JsonObject): string[] {
  return filledFields(rest)
    .filter(name => !translated.has(name))
    .map(name => omittedNote(name))
}

/** Usage is part of every answer's last object. */
function streaming({ stream }: OllamaSettings): JsonObject {
  return stream === false ? { stream: false } : { stream: true, stream_options: { include_usage: true } }
}

/** Options that may be written as they are; `stop` may be one text in chat completions only. */
const sameNames: ReadonlySet<string> = new Set([...sameOptions, 'stop'])

/** The options in chat completions' terms, and those that have none. A limit below 1 is Ollama's way to say none. */
function splitOptions({ options }: OllamaSettings): { sampling: JsonObject; rest: JsonObject } {
  const { num_predict: most, ...others } = options ?? {}
  const given = Object.entries(compact(others))
  return {
    sampling: {
      ...Object.fromEntries(given.filter(([name]) => sameNames.has(name))),
      max_tokens: typeof most === 'number' && most > 0 ? most : undefined,
    },
    rest: Object.fromEntries(given.filter(([name]) => !sameNames.has(name))),
  }
}

/** Not strict: OpenAI's strict mode refuses most schemas that Ollama takes. */
function responseFormat(format: OllamaSettings['format']): JsonObject | undefined {
  if (format === undefined || format === null || format === '') return undefined
  if (format === 'json') return { type: 'json_object' }
  if (typeof format === 'string') throw wrongField('format', "'json' or a JSON schema")
  return { type: 'json_schema', json_schema: { name: 'response', schema: format } }
}

function chatMessages(messages: readonly OllamaMessage[]): ChatMessage[] {
  const ids = createMadeCallIds()
  return messages.map(message => {
    const { role, thinking, images, tool_calls: calls } = message
    const content = contentOf(message.content, images)
    ids.follow(role, message.content ?? '')
    if (role === 'tool') {
      const id = ids.ofResult({ id: message['tool_call_id'], name: message['tool_name'] ?? message['name'] })
      return { role, tool_call_id: id, content }
    }
    const said = compact({ role, content, reasoning_content: thinking || undefined })
    if (role !== 'assistant' || !calls?.length) return said
    const made = ids.ofCalls(calls.map(call => ({ id: call['id'], name: call.function.name })))
    const named = calls.map(({ function: { name, arguments: written } }, index) => ({
      id: made[index],
      type: 'function',
      function: { name, arguments: argumentsText(written ?? {}) },
    }))
    return { ...said, tool_calls: named }
  })
}

function contentOf(text: string | null | undefined, images: OllamaMessage['images']): ChatMessage['content'] {
  if (!images?.length) return text ?? ''
  return [
    ...(text ? [{ type: 'text', text }] : []),
    ...images.map(image => ({ type: 'image_url', image_url: { url: imageUrl(image) } })),
  ]
}

/** How the base64 of each kind of image begins. */
const imageTypes: readonly (readonly [start: string, type: string])[] = [
  ['/9j/', 'jpeg'],
  ['R0lGOD', 'gif'],
  ['UklGR', 'webp'],
]

function imageUrl(image: string): string {
  if (image.startsWith('data:')) return image
  const type = imageTypes.find(([start]) => image.startsWith(start))?.[1] ?? 'png'
  return `data:image/${type};base64,${image}`
}
