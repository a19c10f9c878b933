import { contentText } from '../chat/content-text.ts'
import { asObject, asObjects, asString, parseObject, type JsonObject } from '../../json.ts'
import { argumentsText } from '../chat/call-pieces.ts'
import { detailsText, readDetails, reasoningText } from '../chat/reasoning-details.ts'
import { readUsage, type ChatCompletion } from '../chat/schema.ts'
import type { NonChatReply } from '../non-chat.ts'
import type { ReplyFacts } from '../protocol.ts'
import { countsIn, usageFormats } from '../usage-formats.ts'
import type { Usage } from '../usage.ts'

/** What one object of an answer says. */
export interface Said {
  content: string
  thinking?: string
  calls?: readonly JsonObject[]
}

/** Where an answer's text stands: `/api/chat` has a message, `/api/generate` has fields of its own. */
export type WriteSaid = (said: Said) => JsonObject

export const asMessage: WriteSaid = ({ content, thinking, calls }) => ({
  message: {
    role: 'assistant',
    content,
    ...(thinking ? { thinking } : {}),
    ...(calls?.length ? { tool_calls: calls } : {}),
  },
})

export const asGenerated: WriteSaid = ({ content, thinking }) => ({
  response: content,
  ...(thinking ? { thinking } : {}),
})

/** Converts a buffered chat response to Ollama's last object. */
export function ollamaAnswer(completion: ChatCompletion, reply: ReplyFacts, write: WriteSaid): JsonObject {
  const choice = completion.choices[0]
  const message: JsonObject = choice?.message ?? {}
  const thinking = reasoningText(message) || detailsText(readDetails(message['reasoning_details']))
  const calls = asObjects(message['tool_calls']).map((call, index) => {
    const called = asObject(call['function']) ?? {}
    return toolCall(
      asString(call['id']) ?? callId(reply, index),
      String(called['name']),
      argumentsText(called['arguments']),
      index,
    )
  })
  const content = contentText(message['content']) + (asString(message['refusal']) ?? '')
  return {
    ...opening(reply),
    ...write({ content, thinking, calls }),
    ...closing(reply, choice?.finish_reason, readUsage(completion.usage)),
  }
}

/** The fields that every object of an answer begins with. */
export function opening({ model, createdSeconds }: ReplyFacts): JsonObject {
  return { model, created_at: new Date(createdSeconds * 1000).toISOString() }
}

/** The fields of the last object; durations are in nanoseconds. */
export function closing(reply: ReplyFacts, finishReason: unknown, usage: Usage | undefined): JsonObject {
  const { waitedMs, promptMs, elapsedMs } = reply.timing
  const totalMs = elapsedMs()
  const counts = usage === undefined ? undefined : countsIn(usageFormats.ollama, usage)
  return {
    done: true,
    done_reason: finishReason === 'length' ? 'length' : 'stop',
    total_duration: nanoseconds(totalMs),
    load_duration: nanoseconds(waitedMs),
    prompt_eval_count: counts?.input ?? reply.promptTokens,
    prompt_eval_duration: nanoseconds(promptMs),
    eval_count: counts?.output ?? 0,
    // Clients divide by it.
    eval_duration: Math.max(1, nanoseconds(totalMs - waitedMs - promptMs)),
  }
}

export function callId(reply: ReplyFacts, call: number): string {
  return `call_${reply.id}_${call}`
}

/** A tool call as Ollama writes it: its arguments are an object. */
export function toolCall(id: string, name: string, written: string, index: number): JsonObject {
  const parsed = written.trim() === '' ? {} : (parseObject(written) ?? { input: written })
  return { id, function: { index, name, arguments: parsed } }
}

/** The answer to a text completion. */
export function generatedFromCompletion(completion: NonChatReply, model: string): JsonObject {
  const choice = completion.choices?.[0]
  return { model, response: asString(choice?.text) ?? '', ...doneFields(choice?.['finish_reason'], completion.usage) }
}

/** What the last object of a text completion adds. */
export function doneFields(finishReason: unknown, usage: unknown): JsonObject {
  const known = readUsage(usage)
  const counts = known === undefined ? undefined : countsIn(usageFormats.ollama, known)
  return {
    done: true,
    done_reason: finishReason === 'length' ? 'length' : 'stop',
    ...(counts === undefined ? {} : { prompt_eval_count: counts.input, eval_count: counts.output }),
  }
}

/** `POST /api/embed`. */
export function embedFromEmbeddings(reply: NonChatReply, model: string): JsonObject {
  const usage = readUsage(reply.usage)
  return {
    model,
    embeddings: vectorsOf(reply),
    ...(usage === undefined ? {} : { prompt_eval_count: countsIn(usageFormats.ollama, usage).input }),
  }
}

/** `POST /api/embeddings`. */
export function embeddingFromEmbeddings(reply: NonChatReply): JsonObject {
  return { embedding: vectorsOf(reply)[0] ?? [] }
}

function vectorsOf(reply: NonChatReply): unknown[] {
  return asObjects(reply['data']).map(({ embedding }) => embedding)
}

function nanoseconds(milliseconds: number): number {
  return Math.max(0, Math.round(milliseconds * 1e6))
}
