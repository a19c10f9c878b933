import { startingUsage, writeMessagesError, writeMessagesUsage, writeStop } from './schema.ts'
import { messageId, redactedData, stopDetails, toolUseId } from './response.ts'
import { createCallReader, type CallPiece } from '../chat/call-pieces.ts'
import { readUsage, type ChatChunk } from '../chat/schema.ts'
import { commentFrame, eventFrame, type ReplyFacts, type StreamWriter } from '../protocol.ts'
import { asString, type JsonObject } from '../../json.ts'
import { anthropicFormat, readDetails, reasoningText } from '../chat/reasoning-details.ts'
import type { StreamPart } from '../stream-part.ts'
import type { Usage } from '../usage.ts'

type Kind = 'text' | 'thinking' | 'tool'

interface OpenBlock {
  kind: Kind
  index: number
  /** The reasoning detail or the call that the block shows. */
  of: number | undefined
  /** A signed reasoning block is complete. */
  signed: boolean
  /** Arguments so far, used to detect that the call is complete. */
  json: string
}

/**
 * Converts chat chunks to Messages events: `message_start` once, then one block after another, `message_delta` with the
 * stop reason and the usage, `message_stop`. Messages has one open block at a time; pieces of another block wait until
 * a call's arguments are complete.
 */
export function createMessagesWriter(reply: ReplyFacts): StreamWriter {
  const calls = createCallReader(call => toolUseId(reply, call))
  let out = ''
  let started = false
  let open: OpenBlock | undefined
  let blocks = 0
  let waitingCalls: CallPiece[] = []
  let waitingText = ''
  let refusal: string | undefined
  let ending: JsonObject = {}
  let usage: Usage | undefined

  const emit = (payload: { type: string } & JsonObject) => {
    out += eventFrame(payload)
  }
  const take = (): Buffer => {
    const bytes = Buffer.from(out)
    out = ''
    return bytes
  }
  const start = () => {
    if (started) return
    started = true
    emit({ type: 'message_start', message: emptyMessage(reply) })
    emit({ type: 'ping' })
  }
  const close = () => {
    if (open === undefined) return
    emit({ type: 'content_block_stop', index: open.index })
    open = undefined
  }
  const begin = (kind: Kind, of: number | undefined, block: JsonObject): OpenBlock => {
    close()
    start()
    open = { kind, of, index: blocks, signed: false, json: '' }
    blocks += 1
    emit({ type: 'content_block_start', index: open.index, content_block: block })
    return open
  }
  const add = (block: OpenBlock, delta: JsonObject) => {
    emit({ type: 'content_block_delta', index: block.index, delta })
  }

  const inCall = () => open?.kind === 'tool' && !isWhole(open.json)

  const writeText = (text: string) => {
    if (inCall()) {
      waitingText += text
      return
    }
    const block = open?.kind === 'text' ? open : begin('text', undefined, { type: 'text', text: '', citations: null })
    add(block, { type: 'text_delta', text })
  }
  const thought = (of: number | undefined): OpenBlock => {
    if (open?.kind === 'thinking' && open.of === of && !open.signed) return open
    return begin('thinking', of, { type: 'thinking', thinking: '', signature: '' })
  }
  const writeReasoning = (delta: JsonObject) => {
    const details = readDetails(delta['reasoning_details'])
    if (inCall()) return
    const inDetails = details.some(detail => filled(detail.text) || filled(detail.summary))
    const said = inDetails ? '' : reasoningText(delta)
    if (said !== '') add(thought(undefined), { type: 'thinking_delta', thinking: said })
    for (const detail of details) {
      const text = filled(detail.text) ? detail.text : detail.summary
      if (filled(text)) add(thought(detail.index), { type: 'thinking_delta', thinking: text })
      if (filled(detail.data)) {
        begin('thinking', undefined, { type: 'redacted_thinking', data: redactedData(detail) })
        close()
      } else if (filled(detail.signature) && (detail.format ?? anthropicFormat) === anthropicFormat) {
        const block = open?.kind === 'thinking' ? open : thought(detail.index)
        add(block, { type: 'signature_delta', signature: detail.signature })
        block.signed = true
      }
    }
  }
  const writeCall = (piece: CallPiece) => {
    const mine = open?.kind === 'tool' && open.of === piece.call
    if (!mine && (waitingCalls.length > 0 || inCall())) {
      waitingCalls.push(piece)
      return
    }
    const block = mine && open !== undefined ? open : beginCall(piece)
    if (block === undefined || piece.arguments === '') return
    block.json += piece.arguments
    add(block, { type: 'input_json_delta', partial_json: piece.arguments })
  }
  /** A piece that opens nothing belongs to a call already closed as complete, and is discarded. */
  const beginCall = ({ call, opened }: CallPiece): OpenBlock | undefined =>
    opened === undefined
      ? undefined
      : begin('tool', call, { type: 'tool_use', ...opened, input: {}, caller: { type: 'direct' } })

  const readChunk = (chunk: ChatChunk) => {
    usage = readUsage(chunk.usage) ?? usage
    const choice = chunk.choices?.find(({ index }) => index === 0 || index === undefined)
    if (choice === undefined) return
    start()
    const delta: JsonObject = choice.delta ?? {}
    writeReasoning(delta)
    const content = asString(delta['content'])
    const refused = asString(delta['refusal'])
    if (refused !== undefined) refusal = (refusal ?? '') + refused
    if (filled(content) || filled(refused)) writeText((content ?? '') + (refused ?? ''))
    for (const piece of calls.read(delta['tool_calls'])) writeCall(piece)
    if (typeof choice.finish_reason === 'string') ending = choice
  }

  const writeWaiting = () => {
    const pieces = waitingCalls.toSorted((a, b) => a.call - b.call)
    waitingCalls = []
    for (const piece of pieces) {
      if (open?.of !== piece.call) close()
      writeCall(piece)
    }
    if (waitingText === '') return
    close()
    writeText(waitingText)
  }

  return {
    push(part: StreamPart) {
      for (const chunk of part.chunks) readChunk(chunk)
      return take()
    },
    end(counted) {
      start()
      writeWaiting()
      close()
      const stop = writeStop(ending, calls.count() > 0, refusal !== undefined)
      const known = usage ?? counted
      emit({
        type: 'message_delta',
        delta: { ...stop, stop_details: stopDetails(stop.stop_reason, refusal) },
        usage: known === undefined ? startingUsage(reply.promptTokens) : writeMessagesUsage(known),
      })
      emit({ type: 'message_stop' })
      return take()
    },
    fail(error) {
      emit(writeMessagesError(error).body as { type: string })
      return take()
    },
    keepAlive: () => Buffer.from(started ? eventFrame({ type: 'ping' }) : commentFrame),
  }
}

function emptyMessage(reply: ReplyFacts): JsonObject {
  return {
    id: messageId(reply),
    type: 'message',
    role: 'assistant',
    model: reply.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: startingUsage(reply.promptTokens),
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
