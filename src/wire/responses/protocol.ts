import { writeOpenAiError } from '../chat/error.ts'
import type { Protocol } from '../protocol.ts'
import { chatFromResponses } from './request.ts'
import { responseFromCompletion } from './response.ts'
import { createResponsesWriter } from './stream.ts'

/** OpenAI's Responses, the only protocol of Codex. */
export const responses: Protocol = {
  name: 'responses',
  path: '/responses',
  parseRequest(body) {
    const ask = chatFromResponses(body)
    return {
      request: ask.request,
      notes: ask.notes,
      createStreamWriter: reply => createResponsesWriter(reply, ask),
      writeCompletion: (completion, reply) => responseFromCompletion(completion, reply, ask),
    }
  },
  writeError: writeOpenAiError,
}
