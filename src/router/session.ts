import { hashText } from './chance.ts'
import type { ChatRequest } from '../wire/openai.ts'

/** Hashing all of a long first message would cost more than deciding; its beginning and its length tell enough. */
const hashedLetters = 4096

/**
 * What tells a conversation from others: the caller's own session, else `prompt_cache_key`, else a hash of what does not
 * change while a conversation grows: its system messages and the first other message. Undefined
 * where there are only system messages.
 */
export function sessionKey(request: ChatRequest, session: string | undefined): string | undefined {
  if (session !== undefined) return `session:${session}`
  const cacheKey = request['prompt_cache_key']
  if (typeof cacheKey === 'string' && cacheKey !== '') return `cache:${cacheKey}`
  const opening = request.messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  if (opening < 0) return undefined
  const start = JSON.stringify(request.messages.slice(0, opening + 1))
  const head = start.slice(0, hashedLetters)
  return `start:${hashText(head).toString(36)}${hashText(head, 0x5bd1e995).toString(36)}:${start.length}`
}
