import { createHash } from 'node:crypto'
import { isObject, parseJson } from '../../json.ts'
import { createLineSplitter } from '../../wire/ndjson.ts'
import {
  writeUsage,
  type ChatChunk,
  type ChatDelta,
  type OpenAiUsage,
  type ToolCallDelta,
} from '../../wire/chat/schema.ts'
import { partFromChunks, type StreamPart } from '../../wire/stream-part.ts'
import { readUsageIn, usageFormats } from '../../wire/usage-formats.ts'
import { GatewayError } from '../../errors.ts'
import { newToolCallId } from '../openai/repair-tool-calls.ts'
import type { AnsweredRequest } from '../openai/frames.ts'
import type { ReplyBody } from '../http/exchange.ts'
import { endedEarly, type Upstream } from '../http/upstream.ts'
import type { ForcedCallReader } from './forced-call.ts'

/** Ollama's stream of lines as chunks of a chat completion. With a reader, its text is a tool call. */
export async function* ollamaStream(
  upstream: Upstream,
  body: ReplyBody,
  asked: AnsweredRequest,
  forced?: ForcedCallReader,
): AsyncGenerator<StreamPart> {
  const lines = createLineSplitter()
  const answer = createAnswer(upstream, asked, forced)
  function* partsOf(texts: readonly string[]): Iterable<StreamPart> {
    for (const text of texts) {
      yield partFromChunks(upstream.understand(asked.model, () => answer.add(parseJson(text))))
    }
  }
  for await (const bytes of body) {
    yield* partsOf(lines.push(bytes))
    if (answer.complete()) {
      body.settle()
      return
    }
  }
  yield* partsOf(lines.end())
  if (answer.complete()) return
  throw endedEarly(upstream, asked.model)
}

function createAnswer(upstream: Upstream, { model }: AnsweredRequest, forced?: ForcedCallReader) {
  let identity: { id: string; object: string; created: number; model: string } | undefined
  let calls = 0
  let complete = false

  const broken = (what: string) =>
    new GatewayError('upstream_error', `${upstream.label} (${model}) sent ${what}; try again or use another model.`)

  const callsOf = (value: unknown): ToolCallDelta[] => {
    if (value === undefined || value === null) return []
    if (!Array.isArray(value)) throw broken('tool_calls that are not a list')
    return (value as unknown[]).map(call => {
      const called = isObject(call) && isObject(call.function) ? call.function : {}
      const { name, arguments: written } = called
      if (!isObject(call) || typeof name !== 'string') throw broken('a tool call without a name')
      const index = calls++
      const id = typeof call.id === 'string' && call.id !== '' ? call.id : newToolCallId()
      const text = typeof written === 'string' ? written : JSON.stringify(written ?? {})
      return { index, id, type: 'function', function: { name, arguments: text } }
    })
  }

  const forcedCalls = (reader: ForcedCallReader, text: string, { done }: Record<string, unknown>): ToolCallDelta[] => {
    const deltas = [...reader.push(text), ...(done === true ? reader.end() : [])]
    if (deltas.length > 0) calls = 1
    return deltas
  }

  return {
    complete: () => complete,
    /** Converts one of Ollama's objects to chunks. Throws the error that it reports. */
    add(value: unknown): ChatChunk[] {
      if (!isObject(value)) {
        throw new GatewayError('upstream_error', `${upstream.label} returned a line that is not a JSON object.`)
      }
      if (value.error !== undefined) throw upstream.failure(value.error, model)
      const first = identity === undefined
      identity ??= identityOf(value, model)
      // Some versions send no message in the last object.
      const message = value.message ?? (value.done === true && !first ? {} : undefined)
      if (!isObject(message)) throw broken('no message')
      const { thinking, content: written } = message
      const text = written ?? ''
      if (typeof text !== 'string') throw broken('content that is not a string')
      const content = forced === undefined ? text : ''
      const toolCalls = forced === undefined ? callsOf(message.tool_calls) : forcedCalls(forced, text, value)
      const delta: ChatDelta = {
        ...(first ? { role: 'assistant' } : {}),
        ...(typeof thinking === 'string' && thinking !== '' ? { reasoning_content: thinking } : {}),
        ...(first || content !== '' ? { content } : {}),
        ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
      }
      const chunks: ChatChunk[] = []
      if (Object.keys(delta).length > 0) {
        chunks.push({ ...identity, choices: [{ index: 0, delta, finish_reason: null }] })
      }
      if (value.done !== true) return chunks
      complete = true
      chunks.push({ ...identity, choices: [{ index: 0, delta: {}, finish_reason: reasonOf(value, calls) }] })
      const usage = ollamaUsage(value)
      if (usage !== undefined) chunks.push({ ...identity, choices: [], usage })
      return chunks
    },
  }
}

function identityOf({ created_at: createdAt }: Record<string, unknown>, model: string) {
  const seconds = Math.floor(Date.parse(String(createdAt)) / 1000)
  const hash = createHash('sha256')
    .update(`${model} ${String(createdAt)}`)
    .digest('hex')
  return {
    id: `chatcmpl-${hash.slice(0, 24)}`,
    object: 'chat.completion.chunk',
    created: Number.isNaN(seconds) ? 0 : seconds,
    model,
  }
}

/** Ollama reports `stop` even when it called tools. */
function reasonOf({ done_reason: reason }: Record<string, unknown>, calls: number): string {
  if (reason === 'length') return 'length'
  return calls > 0 ? 'tool_calls' : 'stop'
}

/** Older servers omit the prompt count when the prompt was cached; a partial count would be wrong. */
export function ollamaUsage(value: Record<string, unknown>): OpenAiUsage | undefined {
  if (typeof value['prompt_eval_count'] !== 'number' || typeof value['eval_count'] !== 'number') return undefined
  const usage = readUsageIn(usageFormats.ollama, value)
  return usage === undefined ? undefined : writeUsage(usage)
}
