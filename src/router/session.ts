import { hash } from 'node:crypto'
import type { ChatMessage, ChatRequest } from '../wire/chat/schema.ts'

/** Reading all of a long text would cost more than deciding; both its ends and its length tell enough. */
const readLetters = 2048

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
  return opening < 0 ? undefined : `start:${messagesKey(request.messages.slice(0, opening + 1))}`
}

/** The same for the same messages; long texts that differ only in their middle count as the same. */
export function messagesKey(messages: readonly ChatMessage[]): string {
  return hash('sha1', JSON.stringify(messages, withoutMiddle), 'base64')
}

function withoutMiddle(_field: string, value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= readLetters) return value
  return [value.length, value.slice(0, readLetters / 2), value.slice(-readLetters / 2)]
}
