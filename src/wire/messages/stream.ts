import { asString, type JsonObject } from '../../json.ts'
import { createCallReader, type CallPiece } from '../chat/call-pieces.ts'
import { anthropicFormat, readDetails, reasoningText } from '../chat/reasoning-details.ts'
import { readUsage, type ChatChunk } from '../chat/schema.ts'
import { commentFrame, eventFrame, type ReplyFacts, type StreamWriter } from '../protocol.ts'
import type { StreamPart } from '../stream-part.ts'
import type { Usage } from '../usage.ts'
import { createBlockEvents, type OpenBlock } from './block-events.ts'
import { redactedData, stopDetails, toolUseId } from './response.ts'
import { startingUsage, writeMessagesError, writeMessagesUsage, writeStop } from './schema.ts'

/**
 * Converts chat chunks to Messages events: `message_start` once, then one block after another, `message_delta` with the
 * stop reason and the usage, `message_stop`. Messages has one open block at a time; pieces of another block wait until
 * a call's arguments are complete.
 */
export function createMessagesWriter(reply: ReplyFacts): StreamWriter {
  const events = createBlockEvents(reply)
  const calls = createCallReader(call => toolUseId(reply, call))
  let waitingCalls: CallPiece[] = []
  let waitingText = ''
  let refusal: string | undefined
  let ending: JsonObject = {}
  let usage: Usage | undefined

  const inCall = () => events.open?.kind === 'tool' && !isWhole(events.open.json)

  const writeText = (text: string) => {
    if (inCall()) {
      waitingText += text
      return
    }
    const block =
      events.open?.kind === 'text'
        ? events.open
        : events.openBlock('text', undefined, { type: 'text', text: '', citations: null })
    events.addDelta(block, { type: 'text_delta', text })
  }
  const thinkingBlock = (detail: number | undefined): OpenBlock => {
    const { open } = events
    if (open?.kind === 'thinking' && open.source === detail && !open.signed) return open
    return events.openBlock('thinking', detail, { type: 'thinking', thinking: '', signature: '' })
  }
  const writeReasoning = (delta: JsonObject) => {
    const details = readDetails(delta['reasoning_details'])
    if (inCall()) return
    const inDetails = details.some(detail => filled(detail.text) || filled(detail.summary))
    const plain = inDetails ? '' : reasoningText(delta)
    if (plain !== '') events.addDelta(thinkingBlock(undefined), { type: 'thinking_delta', thinking: plain })
    for (const detail of details) {
      const text = filled(detail.text) ? detail.text : detail.summary
      if (filled(text)) events.addDelta(thinkingBlock(detail.index), { type: 'thinking_delta', thinking: text })
      if (filled(detail.data)) {
        events.openBlock('thinking', undefined, { type: 'redacted_thinking', data: redactedData(detail) })
        events.closeBlock()
      } else if (filled(detail.signature) && (detail.format ?? anthropicFormat) === anthropicFormat) {
        const block = events.open?.kind === 'thinking' ? events.open : thinkingBlock(detail.index)
        events.addDelta(block, { type: 'signature_delta', signature: detail.signature })
        block.signed = true
      }
    }
  }
  /** A piece that opens nothing belongs to a call already closed as complete, and is discarded. */
  const openCall = ({ call, opened }: CallPiece): OpenBlock | undefined =>
    opened === undefined
      ? undefined
      : events.openBlock('tool', call, { type: 'tool_use', ...opened, input: {}, caller: { type: 'direct' } })
  const writeCall = (piece: CallPiece) => {
    const own = events.open?.kind === 'tool' && events.open.source === piece.call ? events.open : undefined
    if (own === undefined && (waitingCalls.length > 0 || inCall())) {
      waitingCalls.push(piece)
      return
    }
    const block = own ?? openCall(piece)
    if (block === undefined || piece.arguments === '') return
    block.json += piece.arguments
    events.addDelta(block, { type: 'input_json_delta', partial_json: piece.arguments })
  }
  const writeWaiting = () => {
    const pieces = waitingCalls.toSorted((a, b) => a.call - b.call)
    waitingCalls = []
    for (const piece of pieces) {
      if (events.open?.source !== piece.call) events.closeBlock()
      writeCall(piece)
    }
    if (waitingText === '') return
    events.closeBlock()
    writeText(waitingText)
  }

  const readChunk = (chunk: ChatChunk) => {
    usage = readUsage(chunk.usage) ?? usage
    const choice = chunk.choices?.find(({ index }) => index === 0 || index === undefined)
    if (choice === undefined) return
    events.start()
    const delta: JsonObject = choice.delta ?? {}
    writeReasoning(delta)
    const content = asString(delta['content'])
    const refused = asString(delta['refusal'])
    if (refused !== undefined) refusal = (refusal ?? '') + refused
    if (filled(content) || filled(refused)) writeText((content ?? '') + (refused ?? ''))
    for (const piece of calls.read(delta['tool_calls'])) writeCall(piece)
    if (typeof choice.finish_reason === 'string') ending = choice
  }

  return {
    push(part: StreamPart) {
      for (const chunk of part.chunks) readChunk(chunk)
      return events.take()
    },
    end(counted) {
      events.start()
      writeWaiting()
      events.closeBlock()
      const stop = writeStop(ending, calls.count() > 0, refusal !== undefined)
      const known = usage ?? counted
      events.write({
        type: 'message_delta',
        delta: { ...stop, stop_details: stopDetails(stop.stop_reason, refusal), container: null },
        usage: known === undefined ? startingUsage(reply.promptTokens) : writeMessagesUsage(known),
      })
      events.write({ type: 'message_stop' })
      return events.take()
    },
    fail(error) {
      events.write(writeMessagesError(error, reply.id).body as { type: string })
      return events.take()
    },
    keepAlive: () => Buffer.from(events.started ? eventFrame({ type: 'ping' }) : commentFrame),
  }
}

function filled(text: unknown): text is string {
  return typeof text === 'string' && text !== ''
}

function isWhole(json: string): boolean {
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}
