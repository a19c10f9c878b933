import { readMessagesUsage, readStop } from './schema.ts'
import { detailOf } from './response.ts'
import { writeUsage, type ChatChunk } from '../chat/schema.ts'
import { asObject, asString, compact, parseJson, type JsonObject } from '../../json.ts'
import { anthropicFormat } from '../chat/reasoning-details.ts'
import type { Usage } from '../usage.ts'

export interface MessagesReader {
  /** The chat chunks of one event's payload (as `readData` returns it); none for pings and events without a chat equivalent. */
  read(payload: string): ChatChunk[]
  /** What was reported so far; the prompt is counted at the start, the output only at the end. */
  usage: () => Usage | undefined
  /** Whether `message_stop` has arrived: a stream that ends without it is incomplete. */
  isComplete(): boolean
}

/**
 * Reads the stream of a server that supports only Messages: the inverse of `createMessagesWriter`. Usage comes in a
 * final chunk without choices. An `error` event becomes a chunk with `error`, for the provider to throw.
 */
export function createMessagesReader(): MessagesReader {
  const callOfBlock = new Map<unknown, number>()
  let facts: Pick<ChatChunk, 'id' | 'model' | 'object'> = { object: 'chat.completion.chunk' }
  let calls = 0
  let usage: Usage | undefined
  let complete = false

  const chunk = (delta: JsonObject, ending: JsonObject = {}): ChatChunk => ({
    ...facts,
    choices: [{ index: 0, delta, finish_reason: null, ...ending }],
  })

  const blockStart = (event: JsonObject): ChatChunk[] => {
    const block = asObject(event['content_block']) ?? {}
    const index = event['index']
    if (block['type'] === 'tool_use') {
      callOfBlock.set(index, calls)
      const { id, name, input } = block
      const given = asObject(input)
      // The input usually follows in deltas; a server that sends it at once puts it here.
      const text = given === undefined || Object.keys(given).length === 0 ? '' : JSON.stringify(given)
      const call = { index: calls, id, type: 'function', function: { name, arguments: text } }
      calls += 1
      return [chunk({ tool_calls: [call] })]
    }
    if (block['type'] === 'redacted_thinking') {
      return [chunk({ reasoning_details: detailOf(block, typeof index === 'number' ? index : 0) })]
    }
    const text = asString(block['text'])
    return text === undefined || text === '' ? [] : [chunk({ content: text })]
  }

  const blockDelta = (event: JsonObject): ChatChunk[] => {
    const { type, text, thinking, signature, partial_json } = asObject(event['delta']) ?? {}
    const index = event['index']
    const detail = { type: 'reasoning.text', format: anthropicFormat, index }
    switch (type) {
      case 'text_delta':
        return [chunk({ content: text })]
      case 'thinking_delta':
        return [chunk({ reasoning_content: thinking, reasoning_details: [{ ...detail, text: thinking }] })]
      case 'signature_delta':
        return [chunk({ reasoning_details: [{ ...detail, signature }] })]
      case 'input_json_delta': {
        const call = callOfBlock.get(index)
        return call === undefined
          ? []
          : [chunk({ tool_calls: [{ index: call, function: { arguments: partial_json } }] })]
      }
      default:
        return []
    }
  }

  const messageStart = (event: JsonObject): ChatChunk[] => {
    const message = asObject(event['message']) ?? {}
    facts = compact({ ...facts, id: asString(message['id']), model: asString(message['model']) })
    usage = readMessagesUsage(message['usage'], usage)
    return [chunk({ role: 'assistant', content: '' })]
  }

  const messageDelta = (event: JsonObject): ChatChunk[] => {
    usage = readMessagesUsage(event['usage'], usage)
    const { stop_reason, stop_sequence } = asObject(event['delta']) ?? {}
    return typeof stop_reason === 'string' ? [chunk({}, readStop(stop_reason, stop_sequence))] : []
  }

  const messageStop = (): ChatChunk[] => {
    complete = true
    return usage === undefined ? [] : [{ ...facts, choices: [], usage: writeUsage(usage) }]
  }

  const readers = new Map<unknown, (event: JsonObject) => ChatChunk[]>([
    ['message_start', messageStart],
    ['content_block_start', blockStart],
    ['content_block_delta', blockDelta],
    ['message_delta', messageDelta],
    ['message_stop', messageStop],
    ['error', event => [{ ...facts, error: event['error'] ?? event }]],
  ])

  return {
    read(payload) {
      const event = parseEvent(payload)
      return readers.get(event['type'])?.(event) ?? []
    },
    usage: () => usage,
    isComplete: () => complete,
  }
}

function parseEvent(payload: string): JsonObject {
  const event = parseJson(payload)
  if (event !== undefined) return asObject(event) ?? {}
  return { type: 'error', error: { message: 'The upstream sent a stream event that is not valid JSON.' } }
}
