import { asObjects, compact, type JsonObject } from '../../json.ts'
import type { EmbeddingsRequest, NonChatReply } from '../non-chat.ts'
import { filledFields, omittedNote } from '../notes.ts'
import { readBody, wrongField } from '../read-body.ts'
import { GeminiBatchEmbedRequest, GeminiEmbedRequest } from './schema.ts'
import { inCamelCase } from './schemas.ts'

/** A request for embeddings in Gemini's form as one in OpenAI's, and the translation of its answer. */
export interface EmbeddingsFromGemini {
  request: EmbeddingsRequest
  notes: string[]
  write: (reply: NonChatReply) => JsonObject
}

/** `embedContent`. Throws `invalid_request`. */
export function embeddingsFromGemini(body: unknown, model: string): EmbeddingsFromGemini {
  const asked = readBody(GeminiEmbedRequest, inCamelCase(body))
  const [text] = textsOf([asked], () => 'content')
  return {
    request: compact({ ...shared(model), input: text!, dimensions: asked.outputDimensionality ?? undefined }),
    notes: notesOn([asked]),
    write: reply => ({ embedding: embeddingsIn(reply)[0] }),
  }
}

/** `batchEmbedContents`. Throws `invalid_request`. */
export function embeddingsFromBatch(body: unknown, model: string): EmbeddingsFromGemini {
  const { requests } = readBody(GeminiBatchEmbedRequest, inCamelCase(body))
  const [dimensions, ...others] = new Set(requests.map(each => each.outputDimensionality ?? undefined))
  if (others.length > 0) throw wrongField('requests.1.outputDimensionality', 'the same for all requests')
  return {
    request: compact({ ...shared(model), input: textsOf(requests, index => `requests.${index}.content`), dimensions }),
    notes: notesOn(requests),
    write: reply => ({ embeddings: embeddingsIn(reply) }),
  }
}

function shared(model: string) {
  return { model, encoding_format: 'float' as const }
}

/** Only texts can be embedded; several parts are one text. */
function textsOf(requests: readonly GeminiEmbedRequest[], placeOf: (index: number) => string): string[] {
  return requests.map(({ content: { parts } }, index) => {
    const texts = parts.map(({ text }) => text ?? undefined).filter(text => text !== undefined)
    if (texts.length === 0 || texts.length < parts.length)
      throw wrongField(`${placeOf(index)}.parts`, 'parts with text')
    return texts.join('\n')
  })
}

const translated: ReadonlySet<string> = new Set(['model', 'content', 'outputDimensionality'])

function notesOn(requests: readonly GeminiEmbedRequest[]): string[] {
  const names = new Set(requests.flatMap(filledFields))
  return [...names].filter(name => !translated.has(name)).map(name => omittedNote(name))
}

function embeddingsIn({ data }: NonChatReply): JsonObject[] {
  return asObjects(data).map(({ embedding }) => ({ values: embedding }))
}
