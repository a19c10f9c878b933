import { contentText } from '../chat/content-text.ts'
import { readMessagesUsage, readStop, startingUsage, unknownUsage, writeMessagesUsage, writeStop } from './schema.ts'
import { readUsage, writeUsage, type ChatCompletion } from '../chat/schema.ts'
import type { ReplyFacts } from '../protocol.ts'
import { asObject, asObjects, asString, compact, parseObject, type JsonObject } from '../../json.ts'
import {
  anthropicFormat,
  detailsText,
  isIrreplaceable,
  messageDetails,
  seal,
  unseal,
  type ReasoningDetail,
} from '../chat/reasoning-details.ts'

/** Converts a buffered chat response to a Messages object. */
export function messageFromCompletion(completion: ChatCompletion, reply: ReplyFacts): JsonObject {
  const choice: JsonObject = asObject(completion.choices[0]) ?? {}
  const message = asObject(choice['message']) ?? {}
  const calls = asObjects(message['tool_calls'])
  const refusal = asString(message['refusal'])
  const text = contentText(message['content']) + (refusal ?? '')
  const usage = readUsage(completion.usage)
  const stop = writeStop(choice, calls.length > 0, refusal !== undefined)
  return {
    id: messageId(reply),
    type: 'message',
    role: 'assistant',
    model: reply.model,
    content: [
      ...messageDetails(message).flatMap(thinkingBlock),
      ...(text === '' ? [] : [{ type: 'text', text, citations: null }]),
      ...calls.map((call, index) => toolUseBlock(call, reply, index)),
    ],
    ...stop,
    stop_details: stopDetails(stop.stop_reason, refusal),
    container: null,
    diagnostics: null,
    usage: {
      ...(usage === undefined ? startingUsage(reply.promptTokens) : writeMessagesUsage(usage)),
      ...unknownUsage,
    },
  }
}

/** Converts a Messages object to a chat completion, for servers that support only Messages. */
export function completionFromMessage(message: JsonObject): ChatCompletion {
  const blocks = asObjects(message['content'])
  const details = blocks.flatMap(detailOf)
  const thought = detailsText(details)
  const calls = blocks.filter(block => block['type'] === 'tool_use').map(callOf)
  const text = blocks.map(block => (block['type'] === 'text' ? (asString(block['text']) ?? '') : '')).join('')
  const usage = readMessagesUsage(message['usage'])
  return compact({
    id: asString(message['id']),
    object: 'chat.completion',
    model: asString(message['model']),
    choices: [
      {
        index: 0,
        message: compact({
          role: 'assistant',
          content: text,
          reasoning_content: thought === '' ? undefined : thought,
          reasoning_details: details.length === 0 ? undefined : details,
          tool_calls: calls.length === 0 ? undefined : calls,
        }),
        finish_reason: null,
        ...readStop(message['stop_reason'], message['stop_sequence']),
      },
    ],
    usage: usage === undefined ? undefined : writeUsage(usage),
  })
}

export function messageId(reply: ReplyFacts): string {
  return `msg_${reply.id}`
}

export function toolUseId(reply: ReplyFacts, call: number): string {
  return `toolu_${reply.id}_${call}`
}

export function stopDetails(stopReason: string, refusal: string | undefined): JsonObject | null {
  return stopReason === 'refusal' ? { type: 'refusal', category: null, explanation: refusal ?? null } : null
}

/** Another vendor's encrypted reasoning is sealed into the one Messages block whose content clients never inspect. */
export function redactedData(detail: ReasoningDetail): string {
  return detail.format === anthropicFormat && detail.data !== undefined ? detail.data : seal([detail])
}

function thinkingBlock(detail: ReasoningDetail): JsonObject[] {
  const text = detail.text ?? detail.summary ?? ''
  const foreign = detail.format !== anthropicFormat && isIrreplaceable(detail)
  const thinking = { type: 'thinking', thinking: text, signature: foreign ? '' : (detail.signature ?? '') }
  const redacted = { type: 'redacted_thinking', data: redactedData(detail) }
  if (detail.data !== undefined) return text === '' ? [redacted] : [thinking, redacted]
  return text === '' && thinking.signature === '' ? [] : [thinking]
}

/** Converts a block of a Messages answer to a reasoning detail; empty where it is none. */
export function detailOf(block: JsonObject, index: number): ReasoningDetail[] {
  const { type, thinking, signature, data } = block
  if (type === 'thinking') {
    const text = asString(thinking) ?? ''
    return [compact({ type: 'reasoning.text', text, signature: asString(signature), format: anthropicFormat, index })]
  }
  if (type !== 'redacted_thinking' || typeof data !== 'string') return []
  return unseal(data) ?? [{ type: 'reasoning.encrypted', data, format: anthropicFormat, index }]
}

function callOf(block: JsonObject): { id: string; type: 'function'; function: { name: string; arguments: string } } {
  const name = asString(block['name']) ?? ''
  return {
    id: asString(block['id']) ?? '',
    type: 'function',
    function: { name, arguments: JSON.stringify(block['input'] ?? {}) },
  }
}

function toolUseBlock(call: JsonObject, reply: ReplyFacts, index: number): JsonObject {
  const called = asObject(call['function']) ?? {}
  const given = called['arguments']
  const input = typeof given === 'string' ? parseObject(given) : asObject(given)
  return {
    type: 'tool_use',
    id: asString(call['id']) || toolUseId(reply, index),
    name: asString(called['name']) ?? '',
    input: input ?? (typeof given === 'string' && given.trim() !== '' ? { arguments: given } : {}),
    caller: { type: 'direct' },
  }
}

/** Some servers return content as a list of parts. */
