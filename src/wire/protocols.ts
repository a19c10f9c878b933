import { chat } from './chat/protocol.ts'
import { messages } from './messages/protocol.ts'
import type { Protocol } from './protocol.ts'
import { responses } from './responses/protocol.ts'

/** Every language in which a caller may ask for an answer. */
export const protocols: readonly Protocol[] = [chat, messages, responses]
