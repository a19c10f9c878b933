import { readUsage, type ChatChunk } from './chat/schema.ts'
import type { Usage } from './usage.ts'

/**
 * A piece of a chat completion stream: one or more whole SSE frames. Whichever form it arrived in is kept and the other
 * is made on demand, so that a stream between two sides that speak the same dialect is never parsed or rebuilt.
 */
export interface StreamPart {
  /** Whole frames, `data: {...}\n\n`, without `[DONE]`. */
  readonly bytes: Buffer
  readonly chunks: readonly ChatChunk[]
  /** The usage it reports, if it does. */
  readonly usage: Usage | undefined
  /** More of what has begun and nothing else: no tool call, reason to finish or usage. Nobody has to look at its chunks. */
  readonly middle: boolean
  /** The frames as a server wrote them that speaks Messages; then `bytes` is made from them on demand. */
  readonly messages?: Buffer
}

/** A part as it came off the wire. `bytes` must end at a frame's end. */
export function partFromBytes(bytes: Buffer, parse: (bytes: Buffer) => ChatChunk[], middle = false): StreamPart {
  let chunks: ChatChunk[] | undefined
  // Most parts carry no usage, and parsing each one to find that out would cost more than everything else done to it.
  const mayHaveUsage = !middle && bytes.includes(usageField) && usageObject.test(bytes.toString('latin1'))
  return {
    bytes,
    middle,
    get chunks() {
      return (chunks ??= parse(bytes))
    },
    get usage() {
      return mayHaveUsage ? usageIn(this.chunks) : undefined
    },
  }
}

/** Whole frames of a server that speaks Messages, and how to read them. `middle` as in `StreamPart`. */
export function partFromMessages(messages: Buffer, read: () => readonly ChatChunk[], middle: boolean): StreamPart {
  let made: StreamPart | undefined
  const chat = () => (made ??= partFromChunks(read()))
  return {
    messages,
    middle,
    get bytes() {
      return chat().bytes
    },
    get chunks() {
      return chat().chunks
    },
    get usage() {
      return middle ? undefined : chat().usage
    },
  }
}

/** A part made by a translation. */
export function partFromChunks(chunks: readonly ChatChunk[]): StreamPart {
  let bytes: Buffer | undefined
  return {
    get bytes() {
      return (bytes ??= Buffer.from(chunks.map(chunk => `data: ${JSON.stringify(chunk)}\n\n`).join('')))
    },
    chunks,
    get usage() {
      return usageIn(chunks)
    },
    middle: false,
  }
}

/** The part without what it says of usage, for callers that did not ask for it; undefined when nothing remains. */
export function withoutUsage(part: StreamPart): StreamPart | undefined {
  if (part.usage === undefined) return part
  const chunks = part.chunks.flatMap(({ usage, ...chunk }) =>
    usage !== undefined && usage !== null && (chunk.choices ?? []).length === 0 ? [] : [chunk],
  )
  return chunks.length === 0 ? undefined : partFromChunks(chunks)
}

/** How many frames a part holds: at least one. */
export function framesIn(part: StreamPart): number {
  const bytes = part.messages ?? part.bytes
  let frames = 0
  for (let at = bytes.indexOf(frameEnd); at >= 0; at = bytes.indexOf(frameEnd, at + 2)) frames++
  return Math.max(1, frames)
}

const usageField = Buffer.from('"usage"')
const usageObject = /"usage"\s*:\s*\{/
const frameEnd = Buffer.from('\n\n')

function usageIn(chunks: readonly ChatChunk[]): Usage | undefined {
  return chunks.map(chunk => readUsage(chunk.usage)).findLast(usage => usage !== undefined)
}
