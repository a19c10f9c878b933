import type { JsonObject } from '../../json.ts'
import { eventFrame, type ReplyFacts } from '../protocol.ts'
import { messageId } from './response.ts'
import { startingUsage, unknownUsage } from './schema.ts'

export type BlockKind = 'text' | 'thinking' | 'tool'

export interface OpenBlock {
  kind: BlockKind
  index: number
  /** Index of the reasoning detail or the call that the block shows. */
  source: number | undefined
  /** A signed reasoning block is complete. */
  signed: boolean
  /** Arguments so far, used to detect that the call is complete. */
  json: string
}

/** Writes the events of one message. At most one block is open; starting another closes it. */
export interface BlockEvents {
  /** Writes `message_start` if it has not been written. */
  start(): void
  readonly started: boolean
  readonly open: OpenBlock | undefined
  openBlock(kind: BlockKind, source: number | undefined, block: JsonObject): OpenBlock
  addDelta(block: OpenBlock, delta: JsonObject): void
  closeBlock(): void
  /** Any other event. */
  write(payload: { type: string } & JsonObject): void
  /** The bytes written since the last call. */
  take(): Buffer
}

export function createBlockEvents(reply: ReplyFacts): BlockEvents {
  let out = ''
  let started = false
  let open: OpenBlock | undefined
  let blocks = 0

  const write = (payload: { type: string } & JsonObject) => {
    out += eventFrame(payload)
  }
  const start = () => {
    if (started) return
    started = true
    write({ type: 'message_start', message: emptyMessage(reply) })
    write({ type: 'ping' })
  }
  const closeBlock = () => {
    if (open === undefined) return
    write({ type: 'content_block_stop', index: open.index })
    open = undefined
  }
  return {
    start,
    get started() {
      return started
    },
    get open() {
      return open
    },
    openBlock(kind, source, block) {
      closeBlock()
      start()
      open = { kind, source, index: blocks, signed: false, json: '' }
      blocks += 1
      write({ type: 'content_block_start', index: open.index, content_block: block })
      return open
    },
    addDelta: (block, delta) => {
      write({ type: 'content_block_delta', index: block.index, delta })
    },
    closeBlock,
    write,
    take() {
      const bytes = Buffer.from(out)
      out = ''
      return bytes
    },
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
    container: null,
    diagnostics: null,
    usage: { ...startingUsage(reply.promptTokens), ...unknownUsage },
  }
}
