import { asString, type JsonObject } from '../../json.ts'
import { createCallReader } from '../chat/call-pieces.ts'
import {
  detailsText,
  gatherDetail,
  readDetails,
  reasoningText,
  type ReasoningDetail,
} from '../chat/reasoning-details.ts'
import { readUsage, type ChatChunk } from '../chat/schema.ts'
import type { ReplyFacts, StreamFraming, StreamWriter } from '../protocol.ts'
import type { Usage } from '../usage.ts'
import { writeGeminiError } from './error.ts'
import {
  callId,
  callPart,
  candidate,
  facts,
  finishReason,
  signed,
  thoughtPart,
  usageMetadata,
  type WholeCall,
} from './response.ts'

/** How the objects of a stream are put on the wire. */
export interface GeminiFraming extends StreamFraming {
  /** An object; `first`: none was written before it. */
  frame(object: object, first: boolean): string
  /** The end of a stream that has objects. */
  readonly close: string
}

/** With `alt=sse`. Google's clients expect nothing but data, so that an empty line is all that may be sent while they wait. */
export const geminiEvents: GeminiFraming = {
  contentType: 'text/event-stream; charset=utf-8',
  idle: '\n',
  lateHeaders: () => '',
  lateError: error => dataFrame(writeGeminiError(error).body),
  frame: dataFrame,
  close: '',
}

/** Without it: one JSON array, whose elements arrive one by one. */
export const geminiArray: GeminiFraming = {
  contentType: 'application/json; charset=utf-8',
  idle: ' ',
  lateHeaders: () => '',
  lateError: error => `[${JSON.stringify(writeGeminiError(error).body)}]`,
  frame: (object, first) => (first ? '[' : ',\r\n') + JSON.stringify(object),
  close: ']',
}

/**
 * Converts chat chunks to Gemini's objects: one for each piece of text or reasoning, and a last one with all tool calls, because
 * Gemini writes a call only whole, the reason and the counts.
 */
export function createGeminiWriter(reply: ReplyFacts, framing: GeminiFraming, includeThoughts: boolean): StreamWriter {
  const reader = createCallReader(call => callId(reply, call))
  const calls: WholeCall[] = []
  const details: ReasoningDetail[] = []
  let reason: unknown
  let usage: Usage | undefined
  let first = true

  const write = (object: object): string => {
    const frame = framing.frame(object, first)
    first = false
    return frame
  }

  const readChunk = (chunk: ChatChunk): string => {
    usage = readUsage(chunk.usage) ?? usage
    const choice = chunk.choices?.find(({ index }) => index === 0 || index === undefined)
    if (choice === undefined) return ''
    const delta: JsonObject = choice.delta ?? {}
    reason = choice.finish_reason ?? reason
    for (const { call, opened, arguments: written } of reader.read(delta['tool_calls'])) {
      if (opened !== undefined) calls[call] = { ...opened, arguments: '' }
      if (calls[call] !== undefined) calls[call].arguments += written
    }
    const pieces = readDetails(delta['reasoning_details'])
    for (const piece of pieces) gatherDetail(details, piece)
    const thought = includeThoughts ? reasoningText(delta) || detailsText(pieces) : ''
    const text = (asString(delta['content']) ?? '') + (asString(delta['refusal']) ?? '')
    const parts = [...(thought === '' ? [] : [thoughtPart(thought)]), ...(text === '' ? [] : [{ text }])]
    return parts.length === 0 ? '' : write({ candidates: [candidate(0, parts)], ...facts(reply) })
  }

  return {
    push: part => Buffer.from(part.chunks.map(readChunk).join('')),
    end(counted) {
      const parts = signed(calls.filter(call => call !== undefined).map(callPart), details)
      const last = {
        candidates: [candidate(0, parts, finishReason(reason))],
        ...facts(reply),
        usageMetadata: usageMetadata(usage ?? counted, reply),
      }
      return Buffer.from(write(last) + framing.close)
    },
    fail: error => Buffer.from(write(writeGeminiError(error).body) + framing.close),
    keepAlive: () => Buffer.from(framing.idle),
  }
}

function dataFrame(object: object): string {
  return `data: ${JSON.stringify(object)}\r\n\r\n`
}
