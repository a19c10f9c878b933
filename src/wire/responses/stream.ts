import { createCallReader, type CallPiece } from '../chat/call-pieces.ts'
import { readUsage, type ChatChunk } from '../chat/schema.ts'
import { commentFrame, eventFrame, type ReplyFacts, type StreamWriter } from '../protocol.ts'
import { asString, type JsonObject } from '../../json.ts'
import { responseError, type ResponsesRequest } from './schema.ts'
import {
  openCall,
  openCompaction,
  openMessage,
  openReasoning,
  type MessagePiece,
  type OpenItem,
  type WriteEvent,
} from './items.ts'
import type { ResponsesAsk } from './request.ts'
import { callId, endingOf, itemId, responseObject, textLogprobs, type ResponseState } from './response.ts'
import { readDetails, reasoningText } from '../chat/reasoning-details.ts'
import type { Usage } from '../usage.ts'

/**
 * Converts chat chunks to Responses events: `response.created` and `in_progress`, then every item from
 * `output_item.added` over its parts and deltas to `output_item.done`, then `response.completed` (or `incomplete`, or
 * `failed`) with the complete Response. An item is closed when the next starts, except calls, which may be written in
 * parallel.
 */
export function createResponsesWriter(reply: ReplyFacts, ask: ResponsesAsk): StreamWriter {
  let out = ''
  let sequence = 0
  let started = false
  let finishReason: unknown
  let usage: Usage | undefined
  const items: OpenItem[] = []
  const callItems = new Map<number, OpenItem & { add(text: string): void }>()
  const calls = createCallReader(call => callId(reply, call))
  let reasoning: ReturnType<typeof openReasoning> | undefined
  let message: ReturnType<typeof openMessage | typeof openCompaction> | undefined

  const write: WriteEvent = event => {
    out += eventFrame({ ...event, sequence_number: sequence })
    sequence += 1
  }
  const take = (): Buffer => {
    const bytes = Buffer.from(out)
    out = ''
    return bytes
  }
  const stateEvent = (type: string, state: Omit<ResponseState, 'output'>, asked = ask.asked) => {
    const output = items.filter(item => item.isClosed()).map(item => item.item())
    write({ type, response: responseObject(reply, asked, { ...state, output }) })
  }
  // An agent's instructions and tools take 70 KB: only the last event repeats them, or they would be sent twice before
  // the first token.
  const brief: ResponsesRequest = { ...ask.asked, instructions: null, tools: [] }
  const start = () => {
    if (started) return
    started = true
    stateEvent('response.created', { status: 'in_progress' }, brief)
    stateEvent('response.in_progress', { status: 'in_progress' }, brief)
  }
  const place = (kind: string) => {
    start()
    return { outputIndex: items.length, id: itemId(kind, reply, items.length), write }
  }
  const closeMessage = () => {
    reasoning?.close()
    message?.close()
    reasoning = undefined
    message = undefined
  }

  const think = (delta: JsonObject) => {
    const details = readDetails(delta['reasoning_details'])
    const words = details.some(detail => (detail.text ?? detail.summary ?? '') !== '') ? '' : reasoningText(delta)
    if (details.length === 0 && words === '') return
    if (reasoning === undefined) {
      closeMessage()
      reasoning = openReasoning(place('rs'))
      items.push(reasoning)
    }
    if (words !== '') reasoning.add({ type: 'reasoning.text', text: words })
    for (const detail of details) reasoning.add(detail)
  }
  const addText = (piece: MessagePiece) => {
    if (message === undefined) {
      closeMessage()
      message = ask.compaction ? openCompaction(place('cmp')) : openMessage(place('msg'))
      items.push(message)
    }
    message.add(piece)
  }
  const call = (piece: CallPiece) => {
    if (piece.opened !== undefined) {
      closeMessage()
      const item = openCall(place('fc'), ask.bridge, piece.opened)
      items.push(item)
      callItems.set(piece.call, item)
    }
    if (piece.arguments !== '') callItems.get(piece.call)?.add(piece.arguments)
  }

  const readChunk = (chunk: ChatChunk) => {
    usage = readUsage(chunk.usage) ?? usage
    const choice = chunk.choices?.find(({ index }) => index === 0 || index === undefined)
    if (choice === undefined) return
    start()
    const delta: JsonObject = choice.delta ?? {}
    if (!ask.compaction) think(delta)
    const content = asString(delta['content']) ?? ''
    const refusal = asString(delta['refusal']) ?? ''
    if (content !== '') addText({ kind: 'text', words: content, logprobs: textLogprobs(choice) })
    if (refusal !== '') addText({ kind: 'refusal', words: refusal })
    if (!ask.compaction) for (const piece of calls.read(delta['tool_calls'])) call(piece)
    finishReason = choice.finish_reason ?? finishReason
  }

  return {
    push(part) {
      for (const chunk of part.chunks) readChunk(chunk)
      return take()
    },
    end(counted) {
      start()
      if (ask.compaction) {
        addText({ kind: 'text', words: '', logprobs: [] })
        // Throws if there is no summary, before the item is closed.
        message?.item()
      }
      for (const item of items) item.close()
      const ending = endingOf(finishReason)
      stateEvent(`response.${ending.status}`, { ...ending, usage: usage ?? counted })
      return take()
    },
    fail(error) {
      start()
      stateEvent('response.failed', { status: 'failed', error: responseError(error), usage })
      return take()
    },
    keepAlive: () => Buffer.from(commentFrame),
  }
}
