import type { ParsedRequest, Protocol } from '../protocol.ts'
import { writeOllamaError } from './error.ts'
import { chatFromGenerate, chatFromOllama } from './request.ts'
import { asGenerated, asMessage, ollamaAnswer, type WriteSaid } from './response.ts'
import { createOllamaWriter, lines } from './stream.ts'

/** Ollama's chats. */
export const ollamaChat: Protocol = {
  name: 'ollama-chat',
  path: '/api/chat',
  relatedPaths: [
    'tags',
    'show',
    'embed',
    'embeddings',
    'ps',
    'version',
    'pull',
    'push',
    'create',
    'copy',
    'delete',
    'blobs',
  ].map(name => `/api/${name}`),
  unprefixed: true,
  parseRequest: body => answeredWith(chatFromOllama(body), asMessage),
  writeError: writeOllamaError,
}

/** Ollama's answers to a single prompt. */
export const ollamaGenerate: Protocol = {
  name: 'ollama-generate',
  path: '/api/generate',
  unprefixed: true,
  parseRequest: body => answeredWith(chatFromGenerate(body), asGenerated),
  writeError: writeOllamaError,
}

function answeredWith(translated: Pick<ParsedRequest, 'request' | 'notes'>, write: WriteSaid): ParsedRequest {
  return {
    ...translated,
    framing: lines,
    createStreamWriter: reply => createOllamaWriter(reply, write),
    writeCompletion: (completion, reply) => ollamaAnswer(completion, reply, write),
  }
}
