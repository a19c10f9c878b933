import { writeMessagesError } from './anthropic.ts'
import { chatFromMessages } from './anthropic-request.ts'
import { messageFromCompletion } from './anthropic-response.ts'
import { createMessagesWriter } from './anthropic-stream.ts'
import { passingOn } from './messages-passing.ts'
import type { Protocol } from './protocol.ts'
import { asObject } from './read-body.ts'

/** Anthropic's Messages, which Claude Code speaks. */
export const messages: Protocol = {
  name: 'messages',
  path: '/messages',
  parseRequest: body => ({
    ...chatFromMessages(body),
    written: asObject(body) ?? {},
    createStreamWriter: reply => passingOn(createMessagesWriter(reply), reply.model),
    writeCompletion: messageFromCompletion,
  }),
  writeError: writeMessagesError,
}
