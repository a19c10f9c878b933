import { createHash, type Hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { createCompletionFold } from '../wire/chat/chunks.ts'
import { isObject, parseJson } from '../json.ts'
import type { ChatCompletion, ChatMessage, ChatRequest } from '../wire/chat/schema.ts'
import { messageDetails } from '../wire/chat/reasoning-details.ts'
import type { StreamPart } from '../wire/stream-part.ts'
import { billingBlock } from './prepare.ts'

/** Maximum characters in total; the oldest are dropped first. */
const maxCharacters = 8 * 1024 * 1024
/** A longer answer is not cached. */
const maxAnswerBytes = 4 * 1024 * 1024

type Reasoning = Record<string, unknown>

/**
 * The reasoning before tool calls, in memory only. Some providers reject a conversation without its reasoning, and most
 * clients drop it. Reasoning is restored only for the same API key, conversation, model and call: call ids alone prove
 * nothing, because many servers number them from the same start.
 */
export interface ReasoningCache {
  /** The reasoning of the conversation that `request` continues, for the API key that owns it. */
  of(keyId: string, request: ChatRequest): ReasoningOfConversation
}

export interface ReasoningOfConversation {
  /** The request with the reasoning of `model` that the client dropped; the same object if there is none. */
  restore(model: string): ChatRequest
  keep(model: string, completion: ChatCompletion): void
  /** The same parts; their reasoning is cached once the stream has ended. Nothing is parsed unless tools were called. */
  watch(model: string, parts: AsyncGenerator<StreamPart, void, void>): AsyncGenerator<StreamPart, void, void>
}

export function createReasoningCache(): ReasoningCache {
  const cached = new LRUCache<string, Reasoning>({
    maxSize: maxCharacters,
    sizeCalculation: (reasoning, key) => JSON.stringify(reasoning).length + key.length,
  })

  function of(keyId: string, request: ChatRequest): ReasoningOfConversation {
    let fingerprints: string[] | undefined
    /** Fingerprint of the messages before index `at`; the number of messages is the index of the answer. */
    const conversationBefore = (index: number): string =>
      (fingerprints ??= fingerprintsOf(keyId, request.messages))[index]!

    function reasoningFor(message: ChatMessage, index: number, model: string): Reasoning | undefined {
      if (message.role !== 'assistant' || messageDetails(message).length > 0) return undefined
      for (const call of callsOf(message['tool_calls'])) {
        const found = cached.get(cacheKey(conversationBefore(index), model, call))
        if (found !== undefined) return found
      }
      return undefined
    }

    function keep(model: string, { choices }: ChatCompletion): void {
      for (const { message } of choices) {
        const reasoning = Object.fromEntries(
          ['reasoning_content', 'reasoning', 'reasoning_details'].flatMap(field =>
            message[field] === undefined || message[field] === null ? [] : [[field, message[field]]],
          ),
        )
        if (Object.keys(reasoning).length === 0) continue
        for (const call of callsOf(message.tool_calls)) {
          cached.set(cacheKey(conversationBefore(request.messages.length), model, call), reasoning)
        }
      }
    }

    return {
      restore(model) {
        if (cached.size === 0) return request
        let restored = false
        const messages = request.messages.map((message, index) => {
          const reasoning = reasoningFor(message, index, model)
          restored ||= reasoning !== undefined
          return reasoning === undefined ? message : { ...message, ...reasoning }
        })
        return restored ? { ...request, messages } : request
      },
      keep,
      async *watch(model, parts) {
        const seen: StreamPart[] = []
        let bytes = 0
        let calls = false
        for await (const part of parts) {
          bytes += (part.messages ?? part.bytes).length
          if (bytes <= maxAnswerBytes) seen.push(part)
          calls ||= !part.middle && part.bytes.includes('"tool_calls"')
          yield part
        }
        if (!calls || bytes > maxAnswerBytes) return
        const fold = createCompletionFold()
        for (const part of seen) fold.addPart(part)
        keep(model, fold.completion())
      },
    }
  }

  return { of }
}

type Call = Record<string, unknown> & { id: string }

function callsOf(calls: unknown): Call[] {
  if (!Array.isArray(calls)) return []
  return calls.filter((call: unknown): call is Call => isObject(call) && typeof call['id'] === 'string')
}

/** Equal for equal arguments whatever their whitespace: other protocols carry them as an object. */
function cacheKey(conversation: string, model: string, call: Call): string {
  return createHash('sha256')
    .update(JSON.stringify([conversation, model, call.id, calledIn(call)]))
    .digest('base64')
}

function calledIn({ function: called }: Record<string, unknown>): unknown[] {
  const { name, arguments: written } = isObject(called) ? called : {}
  return [name, typeof written === 'string' ? (parseJson(written) ?? written) : written]
}

/** One fingerprint for each prefix of a conversation, from the empty one to the whole. */
function fingerprintsOf(keyId: string, messages: readonly ChatMessage[]): string[] {
  const hash = createHash('sha256').update(JSON.stringify(keyId))
  const digestNow = (growing: Hash) => growing.copy().digest('base64')
  return [digestNow(hash), ...messages.map(message => digestNow(hash.update(JSON.stringify(essenceOf(message)))))]
}

/**
 * The parts of a message that are the same each time a client sends it: not whether its text is a string or a part, cache
 * marks, reasoning, or Claude Code's billing block.
 */
function essenceOf(message: ChatMessage): unknown[] {
  const { role, content } = message
  const parts = typeof content === 'string' ? [withoutBilling(content)] : (content ?? []).map(essenceOfPart)
  const said = parts.filter(part => part !== '')
  const calls = callsOf(message['tool_calls']).map(call => [call.id, ...calledIn(call)])
  return [role, said, calls, message['tool_call_id'] ?? null]
}

function essenceOfPart(part: Record<string, unknown>): unknown {
  if (part['type'] === 'text' && typeof part['text'] === 'string') return withoutBilling(part['text'])
  const { cache_control: _, anthropic: _block, ...rest } = part
  return rest
}

function withoutBilling(text: string): string {
  return billingBlock.test(text) ? text.replace(/^[^\n]*\n*/, '') : text
}
