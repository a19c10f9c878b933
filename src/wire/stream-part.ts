import { readUsage, type ChatChunk } from './openai.ts'
import type { Usage } from './usage.ts'

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

// Most parts carry no usage, and parsing each one to find that out would cost more than everything else done to it.
const usageObject = /"usage"\s*:\s*\{/

/** The usage a part reports, if it does. */
export function usageIn(part: StreamPart): Usage | undefined {
  if (!usageObject.test(part.bytes.toString('latin1'))) return undefined
  return part.chunks.map(chunk => readUsage(chunk.usage)).findLast(usage => usage !== undefined)
}

/** The part without what it says of usage, for callers that did not ask for it; undefined when nothing remains. */
export function withoutUsage(part: StreamPart): StreamPart | undefined {
  if (usageIn(part) === undefined) return part
  const chunks = part.chunks.flatMap(({ usage, ...chunk }) =>
    usage !== undefined && usage !== null && (chunk.choices ?? []).length === 0 ? [] : [chunk],
  )
  return chunks.length === 0 ? undefined : partFromChunks(chunks)
}

/** How many frames a part holds. */
export function framesIn({ bytes }: StreamPart): number {
  let frames = 0
  for (let at = bytes.indexOf('data:'); at >= 0; at = bytes.indexOf('data:', bytes.indexOf(0x0a, at) + 1)) {
    frames++
    if (bytes.indexOf(0x0a, at) < 0) break
  }
  return frames
}
