import { GatewayError } from '../errors.ts'
import type { EmbeddingsRequest, NonChatReply } from './non-chat.ts'
import { isObject } from '../json.ts'

/**
 * Converts a server's embeddings to the requested format: base64 (32-bit floats, little-endian, as OpenAI packs them)
 * or numbers. Throws `unsupported` where the vector length differs from `dimensions`, because a truncated vector is not
 * the shorter embedding.
 */
export function writeEmbeddings(reply: NonChatReply, request: EmbeddingsRequest, model: string): NonChatReply {
  const data: unknown[] = Array.isArray(reply['data']) ? reply['data'] : []
  if (data.length === 0) throw new GatewayError('upstream_error', `${model} returned no embedding; try again.`)
  return {
    ...reply,
    object: 'list',
    data: data.map((item, index) => {
      const { embedding, ...rest } = isObject(item) ? item : {}
      const numbers = numbersOf(embedding)
      const wanted = request.dimensions ?? numbers.length
      if (numbers.length !== wanted) {
        throw new GatewayError(
          'unsupported',
          `${model} returns ${numbers.length} dimensions, not ${wanted}; omit dimensions or use another model.`,
          { param: 'dimensions' },
        )
      }
      const written = request.encoding_format === 'base64' ? packed(numbers) : numbers
      return { object: 'embedding', index, ...rest, embedding: written }
    }),
  }
}

function packed(numbers: readonly number[]): string {
  const bytes = Buffer.alloc(numbers.length * 4)
  numbers.forEach((number, index) => bytes.writeFloatLE(number, index * 4))
  return bytes.toString('base64')
}

/** Numbers, or base64 from a server that always packs them. */
function numbersOf(embedding: unknown): number[] {
  if (Array.isArray(embedding)) {
    if (embedding.every(value => typeof value === 'number')) return embedding
    throw new TypeError('an embedding holds something else than numbers')
  }
  const bytes = Buffer.from(typeof embedding === 'string' ? embedding : '', 'base64')
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4))
}
