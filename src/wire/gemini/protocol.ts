import type { Protocol } from '../protocol.ts'
import { writeGeminiError } from './error.ts'
import { chatFromGemini } from './request.ts'
import { geminiAnswer } from './response.ts'
import { createGeminiWriter, geminiArray, geminiEvents } from './stream.ts'

/** Google's Gemini, the protocol of Gemini CLI and of Google's SDKs. The model and the method are in the path. */
export const gemini: Protocol = {
  name: 'gemini',
  path: '/v1beta/models/*',
  relatedPaths: ['/v1beta'],
  unprefixed: true,
  parseRequest(body) {
    const { request, notes, events, includeThoughts } = chatFromGemini(body)
    const framing = events ? geminiEvents : geminiArray
    return {
      request,
      notes,
      framing,
      createStreamWriter: reply => createGeminiWriter(reply, framing, includeThoughts),
      writeCompletion: (completion, reply) => geminiAnswer(completion, reply, includeThoughts),
    }
  },
  writeError: writeGeminiError,
}
