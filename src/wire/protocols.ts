import { chat } from './chat/protocol.ts'
import { gemini } from './gemini/protocol.ts'
import { messages } from './messages/protocol.ts'
import { ollamaChat, ollamaGenerate } from './ollama/protocol.ts'
import type { Protocol } from './protocol.ts'
import { responses } from './responses/protocol.ts'

/** All supported client protocols. */
export const protocols: readonly Protocol[] = [chat, messages, responses, ollamaChat, ollamaGenerate, gemini]
