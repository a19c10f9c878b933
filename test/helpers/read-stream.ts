import { createCompletionFold } from '../../src/wire/chat/chunks.ts'
import type { ChatChunk, ChatCompletion } from '../../src/wire/chat/schema.ts'
import { readData } from '../../src/wire/sse.ts'
import type { StreamPart } from '../../src/wire/stream-part.ts'

export interface ReadStream {
  chunks: ChatChunk[]
  /** The bytes that a client would receive. */
  bytes: string
  completion: ChatCompletion
  /** Thrown after the chunks above. */
  failure: unknown
}

/** Reads a stream to its end, and checks for each part that its bytes and its chunks are equivalent. */
export async function readStream(parts: AsyncIterable<StreamPart>): Promise<ReadStream> {
  const chunks: ChatChunk[] = []
  const fold = createCompletionFold()
  let bytes = ''
  let failure: unknown
  try {
    for await (const part of parts) {
      const onTheWire = readData(part.bytes).map(payload => JSON.parse(payload) as ChatChunk)
      if (JSON.stringify(onTheWire) !== JSON.stringify(part.chunks)) throw new Error('bytes and chunks differ')
      if (part.middle && part.chunks.some(isRemarkable)) throw new Error('a remarkable chunk hides in the middle')
      bytes += part.bytes.toString('utf8')
      chunks.push(...part.chunks)
      for (const chunk of part.chunks) fold.add(chunk)
    }
  } catch (error) {
    failure = error
  }
  return { chunks, bytes, completion: fold.completion(), failure }
}

function isRemarkable({ choices = [], usage }: ChatChunk): boolean {
  return !!usage || choices.some(({ delta, finish_reason: reason }) => !!reason || delta.tool_calls !== undefined)
}
