import { writeMessagesError } from './anthropic.ts'
import { chatFromMessages } from './anthropic-request.ts'
import { messageFromCompletion } from './anthropic-response.ts'
import { createMessagesWriter } from './anthropic-stream.ts'
import type { Protocol } from './protocol.ts'

/** Anthropic's Messages, which Claude Code speaks. */
export const messages: Protocol = {
  name: 'messages',
  path: '/messages',
  parseRequest: body => ({
    ...chatFromMessages(body),
    createStreamWriter: createMessagesWriter,
    writeCompletion: messageFromCompletion,
  }),
  writeError: writeMessagesError,
}
