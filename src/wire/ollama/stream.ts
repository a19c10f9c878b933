import { asString, type JsonObject } from '../../json.ts'
import { createCallReader } from '../chat/call-pieces.ts'
import { detailsText, readDetails, reasoningText } from '../chat/reasoning-details.ts'
import { readUsage, type ChatChunk } from '../chat/schema.ts'
import type { ReplyFacts, StreamFraming, StreamWriter } from '../protocol.ts'
import type { Usage } from '../usage.ts'
import { callId, closing, doneFields, opening, toolCall, type WriteSaid } from './response.ts'
import { writeOllamaError } from './error.ts'

/**
 * A JSON object per line. Clients parse every line, so that only a space may be sent while they wait: it becomes part of the next
 * line.
 */
export const lines: StreamFraming = {
  contentType: 'application/x-ndjson',
  idle: ' ',
  lateHeaders: () => '',
  lateError: error => line(writeOllamaError(error).body),
}

/**
 * Converts chat chunks to Ollama's objects: one for each piece of text or reasoning, one with all tool calls, because Ollama
 * writes a call only whole, and a last one with the counts.
 */
export function createOllamaWriter(reply: ReplyFacts, write: WriteSaid): StreamWriter {
  const reader = createCallReader(call => callId(reply, call))
  const calls: { id: string; name: string; arguments: string }[] = []
  const head = opening(reply)
  let finishReason: unknown
  let usage: Usage | undefined

  const readChunk = (chunk: ChatChunk): string => {
    usage = readUsage(chunk.usage) ?? usage
    const choice = chunk.choices?.find(({ index }) => index === 0 || index === undefined)
    if (choice === undefined) return ''
    const delta: JsonObject = choice.delta ?? {}
    finishReason = choice.finish_reason ?? finishReason
    for (const { call, opened, arguments: written } of reader.read(delta['tool_calls'])) {
      if (opened !== undefined) calls[call] = { ...opened, arguments: '' }
      if (calls[call] !== undefined) calls[call].arguments += written
    }
    const content = (asString(delta['content']) ?? '') + (asString(delta['refusal']) ?? '')
    const thinking = reasoningText(delta) || detailsText(readDetails(delta['reasoning_details']))
    if (content === '' && thinking === '') return ''
    return line({ ...head, ...write({ content, thinking }), done: false })
  }

  return {
    push: part => Buffer.from(part.chunks.map(readChunk).join('')),
    end(counted) {
      const whole = calls.filter(call => call !== undefined)
      const written = whole.map((call, index) => toolCall(call.id, call.name, call.arguments, index))
      const called =
        written.length === 0 ? '' : line({ ...head, ...write({ content: '', calls: written }), done: false })
      const last = { ...head, ...write({ content: '' }), ...closing(reply, finishReason, usage ?? counted) }
      return Buffer.from(called + line(last))
    },
    fail: error => Buffer.from(lines.lateError(error)),
    keepAlive: () => Buffer.from(lines.idle),
  }
}

/** The same for the chunks of a text completion. */
export function createGeneratedWriter(model: string): StreamWriter {
  let finishReason: unknown
  let usage: unknown
  return {
    push(part) {
      const texts = part.chunks.map(chunk => {
        const choice = chunk.choices?.[0] as JsonObject | undefined
        usage = chunk.usage ?? usage
        finishReason = choice?.['finish_reason'] ?? finishReason
        return asString(choice?.['text']) ?? ''
      })
      const text = texts.join('')
      return Buffer.from(text === '' ? '' : line({ model, response: text, done: false }))
    },
    end: () => Buffer.from(line({ model, response: '', ...doneFields(finishReason, usage) })),
    fail: error => Buffer.from(lines.lateError(error)),
    keepAlive: () => Buffer.from(lines.idle),
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}
