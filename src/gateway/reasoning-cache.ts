import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { createCompletionFold } from '../wire/chat/chunks.ts'
import { isObject, parseJson } from '../json.ts'
import type { ChatCompletion, ChatMessage, ChatRequest } from '../wire/chat/schema.ts'
import { messageDetails } from '../wire/chat/reasoning-details.ts'
import type { StreamPart } from '../wire/stream-part.ts'

/** Maximum characters in total; the oldest are dropped first. */
const maxCharacters = 16 * 1024 * 1024
/** A longer answer is not cached. */
const maxBytesOfAnswer = 4 * 1024 * 1024

type Reasoning = Record<string, unknown>

interface CachedReasoning {
  reasoning: Reasoning
  /** The tool and its arguments: ids that a server numbers occur again in the next conversation. */
  called: string
}

/**
 * The reasoning before tool calls, by the ids of those calls, in memory only. Some providers reject a conversation without
 * its reasoning, and most clients drop it.
 */
export interface ReasoningCache {
  /** The request with the reasoning that the client dropped; the same object if there is none. */
  restore(request: ChatRequest): ChatRequest
  keep(completion: ChatCompletion): void
  /** The same parts; their reasoning is cached once the stream has ended. Nothing is parsed unless tools were called. */
  watch(parts: AsyncGenerator<StreamPart, void, void>): AsyncGenerator<StreamPart, void, void>
}

export function createReasoningCache(): ReasoningCache {
  const cached = new LRUCache<string, CachedReasoning>({
    maxSize: maxCharacters,
    sizeCalculation: ({ reasoning }) => JSON.stringify(reasoning).length,
  })

  function reasoningFor(message: ChatMessage): Reasoning | undefined {
    if (message.role !== 'assistant' || messageDetails(message).length > 0) return undefined
    for (const [id, call] of callsOf(message['tool_calls'])) {
      const found = cached.get(id)
      if (found !== undefined && found.called === fingerprint(call)) return found.reasoning
    }
    return undefined
  }

  function keep({ choices }: ChatCompletion): void {
    for (const { message } of choices) {
      const reasoning = Object.fromEntries(
        ['reasoning_content', 'reasoning', 'reasoning_details'].flatMap(field =>
          message[field] === undefined || message[field] === null ? [] : [[field, message[field]]],
        ),
      )
      if (Object.keys(reasoning).length === 0) continue
      for (const [id, call] of callsOf(message.tool_calls)) cached.set(id, { reasoning, called: fingerprint(call) })
    }
  }

  return {
    restore(request) {
      if (cached.size === 0) return request
      let restored = false
      const messages = request.messages.map(message => {
        const reasoning = reasoningFor(message)
        restored ||= reasoning !== undefined
        return reasoning === undefined ? message : { ...message, ...reasoning }
      })
      return restored ? { ...request, messages } : request
    },
    keep,
    async *watch(parts) {
      const seen: StreamPart[] = []
      let bytes = 0
      let calls = false
      for await (const part of parts) {
        bytes += (part.messages ?? part.bytes).length
        if (bytes <= maxBytesOfAnswer) seen.push(part)
        calls ||= !part.middle && part.bytes.includes('"tool_calls"')
        yield part
      }
      if (!calls || bytes > maxBytesOfAnswer) return
      const fold = createCompletionFold()
      for (const part of seen) for (const chunk of part.chunks) fold.add(chunk)
      keep(fold.completion())
    },
  }
}

function callsOf(calls: unknown): [id: string, call: Record<string, unknown>][] {
  if (!Array.isArray(calls)) return []
  return calls.flatMap((call: unknown) =>
    isObject(call) && typeof call['id'] === 'string' ? [[call['id'], call]] : [],
  )
}

/** Equal for equal arguments whatever their whitespace: other protocols carry them as an object. */
function fingerprint({ function: called }: Record<string, unknown>): string {
  const { name, arguments: written } = isObject(called) ? called : {}
  const value = typeof written === 'string' ? (parseJson(written) ?? written) : written
  return createHash('sha256')
    .update(JSON.stringify([name, value]))
    .digest('base64')
}
