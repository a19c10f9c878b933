import { createHash } from 'node:crypto'
import { createCompletionFold } from '../../wire/chat/chunks.ts'
import { isObject, parseJson } from '../../json.ts'
import { createLineSplitter } from '../../wire/ndjson.ts'
import type { ChatChunk, ChatCompletion, ChatDelta, OpenAiUsage, ToolCallDelta } from '../../wire/chat/schema.ts'
import { partFromChunks, type StreamPart } from '../../wire/stream-part.ts'
import { GatewayError } from '../../errors.ts'
import { newToolCallId } from '../openai/repair-tool-calls.ts'
import type { AnsweredRequest } from '../openai/frames.ts'
import type { ReplyBody } from '../http/exchange.ts'
import type { Upstream } from '../http/upstream.ts'

/** Ollama's stream of lines as chunks of a chat completion. */
export async function* ollamaStream(
  upstream: Upstream,
  body: ReplyBody,
  asked: AnsweredRequest,
): AsyncGenerator<StreamPart> {
  const lines = createLineSplitter()
  const answer = createAnswer(upstream, asked)
  function* partsOf(texts: readonly string[]): Iterable<StreamPart> {
    for (const text of texts) yield partFromChunks(answer.add(parseJson(text)))
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
  const sentence = `${upstream.label} (${asked.model}) ended its stream before the answer was complete; see its log.`
  throw new GatewayError('upstream_error', sentence)
}

/** Converts Ollama's buffered response to a chat completion. */
export function ollamaCompletion(upstream: Upstream, value: unknown, asked: AnsweredRequest): ChatCompletion {
  const fold = createCompletionFold()
  for (const chunk of createAnswer(upstream, asked).add(value)) fold.add(chunk)
  return fold.completion()
}

function createAnswer(upstream: Upstream, { model }: AnsweredRequest) {
  let identity: { id: string; object: string; created: number; model: string } | undefined
  let calls = 0
  let complete = false

  const callsOf = (value: unknown): ToolCallDelta[] =>
    (Array.isArray(value) ? (value as unknown[]) : []).flatMap(call => {
      if (!isObject(call) || !isObject(call.function)) return []
      const index = calls++
      const { name, arguments: written } = call.function
      const id = typeof call.id === 'string' && call.id !== '' ? call.id : newToolCallId()
      const text = typeof written === 'string' ? written : JSON.stringify(written ?? {})
      return [{ index, id, type: 'function', function: { name: String(name), arguments: text } }]
    })

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
      const message = isObject(value.message) ? value.message : {}
      const content = typeof message.content === 'string' ? message.content : ''
      const { thinking } = message
      const toolCalls = callsOf(message.tool_calls)
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
      const usage = usageOf(value)
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
function usageOf({ prompt_eval_count: prompt, eval_count: output }: Record<string, unknown>): OpenAiUsage | undefined {
  if (typeof prompt !== 'number' || typeof output !== 'number') return undefined
  return { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output }
}
