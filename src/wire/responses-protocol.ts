import { writeOpenAiError } from './openai-error.ts'
import type { Protocol } from './protocol.ts'
import { chatFromResponses } from './responses-request.ts'
import { responseFromCompletion } from './responses-response.ts'
import { createResponsesWriter } from './responses-stream.ts'

/** OpenAI's Responses, the only language of Codex. */
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
