import type { ChatMessage } from './schema.ts'

/**
 * The conversation with one system message, at its beginning: the form that every chat template accepts. Agents also send
 * system and developer messages later on, and several at the beginning; many templates raise an error then. The leading
 * ones become one; a later one becomes a marked part of the user message next to it, or one of its own where there is
 * none. Where it goes depends only on its neighbours, so that a growing conversation keeps its cached beginning. Returns
 * the same list where nothing had to change.
 */
export function withOneSystemMessage(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const opening = messages.findIndex(message => !isSystem(message))
  const leading = opening < 0 ? messages : messages.slice(0, opening)
  const others = opening < 0 ? [] : messages.slice(opening)
  const isUsual = leading.length <= 1 && leading.every(({ role }) => role === 'system')
  if (isUsual && !others.some(isSystem)) return messages
  return [...merged(leading), ...withoutLater(others)]
}

/** OpenAI's `developer` is its newer name of `system`. */
function isSystem({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer'
}

function merged(leading: readonly ChatMessage[]): ChatMessage[] {
  const [first, ...others] = leading
  if (first === undefined) return []
  return [{ ...first, role: 'system', content: joined([first, ...others].map(({ content }) => content)) }]
}

function withoutLater(messages: readonly ChatMessage[]): ChatMessage[] {
  const placed: ChatMessage[] = []
  let waiting: ChatMessage['content'][] = []
  /** Behind the user message just before, else as a message of its own. */
  const flush = () => {
    if (waiting.length === 0) return
    const before = placed.at(-1)
    if (before?.role === 'user')
      placed[placed.length - 1] = { ...before, content: joined([before.content, ...waiting]) }
    else placed.push({ role: 'user', content: joined(waiting) })
    waiting = []
  }
  for (const message of messages) {
    if (isSystem(message)) waiting.push(marked(message.content))
    else if (message.role === 'user' && waiting.length > 0) {
      // In the Messages protocol, the results of calls come first in their message.
      const resultsFirst = Array.isArray(message.content) && message.content[0]?.type === 'tool_result'
      placed.push({
        ...message,
        content: joined(resultsFirst ? [message.content, ...waiting] : [...waiting, message.content]),
      })
      waiting = []
    } else {
      // A call and its results must stay together: what was said between them is placed behind the results.
      if (message.role !== 'tool' && message.role !== 'function') flush()
      placed.push(message)
    }
  }
  flush()
  return placed
}

/** The model is told that the operator speaks, not the user. */
function marked(content: ChatMessage['content']): ChatMessage['content'] {
  if (!Array.isArray(content)) return `<system>\n${content ?? ''}\n</system>`
  return [{ type: 'text', text: '<system>' }, ...content, { type: 'text', text: '</system>' }]
}

/** Text stays text; as soon as one content has parts (with images or cache marks), all of it is parts. */
function joined(contents: readonly ChatMessage['content'][]): ChatMessage['content'] {
  const texts = contents.flatMap(content => (typeof content === 'string' && content !== '' ? [content] : []))
  if (!contents.some(Array.isArray)) return texts.join('\n\n')
  return contents.flatMap(content => {
    if (typeof content !== 'string') return content ?? []
    return content === '' ? [] : [{ type: 'text', text: content }]
  })
}
