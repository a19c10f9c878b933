import { asString, type JsonObject } from '../../json.ts'
import { gatherDetail, type ReasoningDetail } from '../chat/reasoning-details.ts'
import { compactionItem } from './compaction.ts'
import { messageItem, reasoningItem, refusalPart, textPart, type MessageContent } from './response.ts'
import type { ToolBridge } from './tools.ts'

/** Writes one event; the stream adds the sequence number. */
export type WriteEvent = (event: { type: string } & JsonObject) => void

/** Position of an item in a stream. */
export interface ItemPlace {
  outputIndex: number
  id: string
  write: WriteEvent
}

/** An output item being written. */
export interface OpenItem {
  /** Ends the item; idempotent. */
  close(): void
  isClosed(): boolean
  /** The item in its current state. */
  item(): JsonObject
}

export function openReasoning(place: ItemPlace): OpenItem & { add(piece: ReasoningDetail): void } {
  const { write, id: item_id, outputIndex: output_index } = place
  const details: ReasoningDetail[] = []
  let part: { index: number; of: number | undefined; text: string } | undefined
  const item = () => reasoningItem(details, item_id)
  const closePart = () => {
    if (part === undefined) return
    const facts = { item_id, output_index, summary_index: part.index }
    write({ type: 'response.reasoning_summary_text.done', ...facts, text: part.text })
    write({ type: 'response.reasoning_summary_part.done', ...facts, part: { type: 'summary_text', text: part.text } })
  }
  const partFor = (of: number | undefined) => {
    if (part !== undefined && part.of === of) return part
    closePart()
    part = { index: part === undefined ? 0 : part.index + 1, of, text: '' }
    const facts = { item_id, output_index, summary_index: part.index }
    write({ type: 'response.reasoning_summary_part.added', ...facts, part: { type: 'summary_text', text: '' } })
    return part
  }
  open(place, { id: item_id, type: 'reasoning', summary: [] })
  return {
    add(piece) {
      const words = piece.text ?? piece.summary ?? ''
      gatherDetail(details, piece)
      if (words === '') return
      // Summaries follow their details, so that the complete item has the same ones.
      const current = partFor(details.length)
      current.text += words
      const facts = { item_id, output_index, summary_index: current.index }
      write({ type: 'response.reasoning_summary_text.delta', ...facts, delta: words })
    },
    item,
    ...closing(place, item, closePart),
  }
}

/** A piece of a message. */
export type MessagePiece = { kind: 'text'; words: string; logprobs: JsonObject[] } | { kind: 'refusal'; words: string }

export function openMessage(place: ItemPlace): OpenItem & { add(piece: MessagePiece): void } {
  const { write, id: item_id, outputIndex: output_index } = place
  const texts: MessageContent = { text: '', refusal: '', logprobs: [] }
  const opened: MessagePiece['kind'][] = []
  const item = () => messageItem(texts, item_id, 'completed')
  open(place, messageItem(texts, item_id, 'in_progress'))
  return {
    add(piece) {
      const { kind, words } = piece
      if (!opened.includes(kind)) {
        opened.push(kind)
        const part = kind === 'text' ? textPart('', []) : refusalPart('')
        write({ type: 'response.content_part.added', item_id, output_index, content_index: opened.length - 1, part })
      }
      texts[kind] += words
      const logprobs = piece.kind === 'text' ? piece.logprobs : []
      texts.logprobs.push(...logprobs)
      const facts = { item_id, output_index, content_index: opened.indexOf(kind) }
      if (kind === 'text') write({ type: 'response.output_text.delta', ...facts, delta: words, logprobs })
      else write({ type: 'response.refusal.delta', ...facts, delta: words })
    },
    item,
    ...closing(place, item, () => {
      opened.forEach((kind, content_index) => {
        const facts = { item_id, output_index, content_index }
        if (kind === 'text') {
          write({ type: 'response.output_text.done', ...facts, text: texts.text, logprobs: texts.logprobs })
        } else write({ type: 'response.refusal.done', ...facts, refusal: texts.refusal })
        const part = kind === 'text' ? textPart(texts.text, texts.logprobs) : refusalPart(texts.refusal)
        write({ type: 'response.content_part.done', ...facts, part })
      })
    }),
  }
}

/** The summary of a conversation, which the caller gets as one sealed item. */
export function openCompaction(place: ItemPlace): OpenItem & { add(piece: MessagePiece): void } {
  let summary = ''
  const item = () => compactionItem(summary, place.id)
  return {
    add({ words }) {
      summary += words
    },
    item,
    ...closing(place, item, () => open(place, item())),
  }
}

export function openCall(
  place: ItemPlace,
  bridge: ToolBridge,
  call: { id: string; name: string },
): OpenItem & { add(text: string): void } {
  const { write, id: item_id, outputIndex: output_index } = place
  const facts = { itemId: item_id, callId: call.id, functionName: call.name }
  const streams = bridge.streams(call.name)
  let text = ''
  const item = () => bridge.callItem({ ...facts, arguments: text })
  open(place, bridge.openItem(facts))
  return {
    add(more) {
      text += more
      if (streams) write({ type: 'response.function_call_arguments.delta', item_id, output_index, delta: more })
    },
    item,
    ...closing(place, item, () => {
      if (streams) {
        write({
          type: 'response.function_call_arguments.done',
          item_id,
          output_index,
          arguments: text,
          name: call.name,
        })
        return
      }
      const input = asString(item()['input'])
      if (input === undefined) return
      write({ type: 'response.custom_tool_call_input.delta', item_id, output_index, delta: input })
      write({ type: 'response.custom_tool_call_input.done', item_id, output_index, input })
    }),
  }
}

function open({ write, outputIndex }: ItemPlace, item: JsonObject): void {
  write({ type: 'response.output_item.added', output_index: outputIndex, item })
}

function closing(
  place: ItemPlace,
  item: () => JsonObject,
  closeParts: () => void,
): Pick<OpenItem, 'close' | 'isClosed'> {
  let closed = false
  return {
    close() {
      if (closed) return
      closed = true
      closeParts()
      place.write({ type: 'response.output_item.done', output_index: place.outputIndex, item: item() })
    },
    isClosed: () => closed,
  }
}
