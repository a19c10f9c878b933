import { readUsage, type ChatChunk } from './chat/schema.ts'
import type { Usage } from './usage.ts'

/**
 * A piece of a chat completion stream: one or more complete SSE frames. The form it arrived in is kept and the other is
 * built on demand, so that a stream between two sides of the same protocol is never parsed or rebuilt.
 */
export interface StreamPart {
  /**
   * Complete frames, `data: {...}\
   * \
   * `, without `[DONE]`.
   */
  readonly bytes: Buffer
  readonly chunks: readonly ChatChunk[]
  /** The usage that it reports, if any. */
  readonly usage: Usage | undefined
  /** What a server that counts the prompt at the start said of it; its output is not counted yet. */
  readonly promptUsage?: Usage | undefined
  /** Only continues open content: no tool call, finish reason or usage. Its chunks need no inspection. */
  readonly middle: boolean
  /** The frames as a Messages server wrote them; `bytes` is then built from them on demand. */
  readonly messages?: Buffer
  /** Set where the bytes are no frames of a chat: they are passed on as they are, under this content type. */
  readonly opaque?: { readonly contentType: string }
}

/** A part as received from an upstream. `bytes` must end at the end of a frame. */
export function partFromBytes(bytes: Buffer, parse: (bytes: Buffer) => ChatChunk[], middle = false): StreamPart {
  let chunks: ChatChunk[] | undefined
  // Most parts carry no usage, and parsing each one to find out would cost more than all other work on it.
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

/** Complete frames of a Messages server, and how to parse them. `middle` and `promptUsage` as in `StreamPart`. */
export function partFromMessages(
  messages: Buffer,
  read: () => readonly ChatChunk[],
  middle: boolean,
  promptUsage?: Usage,
): StreamPart {
  let made: StreamPart | undefined
  const chat = () => (made ??= partFromChunks(read()))
  return {
    messages,
    middle,
    promptUsage,
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

/** A part built by a translation. */
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

/** The part without usage, for callers that did not request it; undefined when nothing remains. */
export function withoutUsage(part: StreamPart): StreamPart | undefined {
  if (part.usage === undefined) return part
  const chunks = part.chunks.flatMap(({ usage, ...chunk }) =>
    usage !== undefined && usage !== null && (chunk.choices ?? []).length === 0 ? [] : [chunk],
  )
  return chunks.length === 0 ? undefined : partFromChunks(chunks)
}

/** Number of frames with data in a part; comments are none. */
export function framesIn(part: StreamPart): number {
  const bytes = part.messages ?? part.bytes
  let frames = bytes.subarray(0, startOfData.length).equals(startOfData) ? 1 : 0
  for (let at = bytes.indexOf(lineOfData); at >= 0; at = bytes.indexOf(lineOfData, at + 1)) frames++
  return frames
}

const usageField = Buffer.from('"usage"')
const usageObject = /"usage"\s*:\s*\{/
const startOfData = Buffer.from('data:')
const lineOfData = Buffer.from('\ndata:')

function usageIn(chunks: readonly ChatChunk[]): Usage | undefined {
  return chunks.map(chunk => readUsage(chunk.usage)).findLast(usage => usage !== undefined)
}
