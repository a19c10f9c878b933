import { contentText } from '../chat/content-text.ts'
import { asObject, asObjects, asString, parseObject, type JsonObject } from '../../json.ts'
import { argumentsText } from '../chat/call-pieces.ts'
import {
  detailsText,
  isIrreplaceable,
  readDetails,
  reasoningText,
  seal,
  type ReasoningDetail,
} from '../chat/reasoning-details.ts'
import { readUsage, type ChatCompletion } from '../chat/schema.ts'
import type { ReplyFacts } from '../protocol.ts'
import { countsIn, usageFormats } from '../usage-formats.ts'
import type { Usage } from '../usage.ts'

/** A tool call, complete. */
export interface WholeCall {
  id: string
  name: string
  /** JSON. */
  arguments: string
}

/** Converts a buffered chat response to Gemini's. */
export function geminiAnswer(completion: ChatCompletion, reply: ReplyFacts, includeThoughts: boolean): JsonObject {
  const candidates = completion.choices.map(({ index, message, finish_reason: reason }) => {
    const details = readDetails(message['reasoning_details'])
    const thought = reasoningText(message) || detailsText(details)
    const text = contentText(message.content) + (asString(message['refusal']) ?? '')
    const calls = asObjects(message.tool_calls).map((call, number) => {
      const called = asObject(call['function']) ?? {}
      const id = asString(call['id']) ?? callId(reply, number)
      return { id, name: String(called['name']), arguments: argumentsText(called['arguments']) }
    })
    const parts = [
      ...(thought === '' || !includeThoughts ? [] : [thoughtPart(thought)]),
      ...(text === '' ? [] : [{ text }]),
      ...calls.map(callPart),
    ]
    return candidate(index, signed(parts, details), finishReason(reason))
  })
  return { candidates, ...facts(reply), usageMetadata: usageMetadata(readUsage(completion.usage), reply) }
}

/** One candidate; without a reason it has not ended yet. */
export function candidate(index: number, parts: readonly JsonObject[], reason?: string): JsonObject {
  return {
    content: { role: 'model', parts },
    ...(reason === undefined ? {} : { finishReason: reason }),
    index,
  }
}

export function thoughtPart(text: string): JsonObject {
  return { text, thought: true }
}

export function callPart({ id, name, arguments: written }: WholeCall): JsonObject {
  const args = written.trim() === '' ? {} : (parseObject(written) ?? { input: written })
  return { functionCall: { id, name, args } }
}

export function callId(reply: ReplyFacts, number: number): string {
  return `call_${reply.id}_${number}`
}

/** The parts with reasoning that only its vendor can read; clients send it back with the first call, else with the last part. */
export function signed(parts: readonly JsonObject[], details: readonly ReasoningDetail[]): JsonObject[] {
  if (!details.some(isIrreplaceable)) return [...parts]
  const signature = { thoughtSignature: Buffer.from(seal(details)).toString('base64') }
  if (parts.length === 0) return [{ text: '', ...signature }]
  const call = parts.findIndex(part => part['functionCall'] !== undefined)
  const carrier = call < 0 ? parts.length - 1 : call
  return parts.map((part, index) => (index === carrier ? { ...part, ...signature } : part))
}

const finishReasons: ReadonlyMap<unknown, string> = new Map([
  ['length', 'MAX_TOKENS'],
  ['content_filter', 'SAFETY'],
])

export function finishReason(reason: unknown): string {
  return finishReasons.get(reason) ?? 'STOP'
}

/** What every object of an answer tells. */
export function facts({ model, id, createdSeconds }: ReplyFacts): JsonObject {
  return { modelVersion: model, responseId: id, createTime: new Date(createdSeconds * 1000).toISOString() }
}

export function usageMetadata(usage: Usage | undefined, { promptTokens }: ReplyFacts): JsonObject {
  if (usage === undefined) return { promptTokenCount: promptTokens, totalTokenCount: promptTokens }
  const { input, output, cacheRead, reasoning } = countsIn(usageFormats.gemini, usage)
  return {
    promptTokenCount: input,
    candidatesTokenCount: output,
    totalTokenCount: input + output + reasoning,
    ...(cacheRead > 0 ? { cachedContentTokenCount: cacheRead } : {}),
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
  }
}
