import { writeMessagesError } from './schema.ts'
import { chatFromMessages } from './request.ts'
import { messageFromCompletion } from './response.ts'
import { createMessagesWriter } from './stream.ts'
import { passingOn } from './pass-through.ts'
import type { Protocol } from '../protocol.ts'
import { asObject } from '../../json.ts'

/** Anthropic's Messages, the protocol of Claude Code. */
export const messages: Protocol = {
  name: 'messages',
  path: '/messages',
  parseRequest: body => ({
    ...chatFromMessages(body),
    native: asObject(body) ?? {},
    createStreamWriter: reply => passingOn(createMessagesWriter(reply), reply.model),
    writeCompletion: messageFromCompletion,
  }),
  writeError: writeMessagesError,
}
