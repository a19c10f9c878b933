import type { ChatChunk } from './openai.ts'

/**
 * A piece of a chat completion stream: one or more whole SSE frames. Whichever form it arrived in is kept and the other
 * is made on demand, so that a stream between two sides that speak the same dialect is never parsed or rebuilt.
 */
export interface StreamPart {
  /** Whole frames, `data: {...}\n\n`, without `[DONE]`. */
  readonly bytes: Buffer
  readonly chunks: readonly ChatChunk[]
}

/** A part as it came off the wire. `bytes` must end at a frame's end. */
export function partFromBytes(bytes: Buffer, parse: (bytes: Buffer) => ChatChunk[]): StreamPart {
  let chunks: ChatChunk[] | undefined
  return {
    bytes,
    get chunks() {
      return (chunks ??= parse(bytes))
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
  }
}
