import type { ChatMessage, ChatRequest } from '../../wire/chat/schema.ts'

/** What of a request tells its kind of work apart from the words: who asks, with what, and where in the conversation. */
export interface RequestShape {
  /** The user's newest words, without what a client wrapped around them. */
  text: string
  /** The newest result of a tool, where the request continues after it. */
  result: string | undefined
  /** What the client says to every model. */
  system: string
  tools: number
  /** Turns of the user so far, results of tools not counted. */
  userTurns: number
  image: boolean
  json: boolean
}

/** Sections that clients add to the user's words: the state of an editor, reminders. */
const wrappings = /<(environment_details|system-reminder|user_info|context)\b[^>]*>[\s\S]{0,20000}?(?:<\/\1>|$)/g
const taskTags = /<\/?(?:task|user_query|user_message|feedback)>/g
/** How clients without tool calls hand over what a tool returned. */
const writtenResult = /^\s*(?:\[[\w-]+(?: for [^\]\n]{0,200})?\] Result:|<tool_result>|<function_results>|Observation:)/
const maxWrapped = 40_000

/** Reads the shape off a request; looks at the newest messages and the beginning of the system prompt only. */
export function shapeOf(request: ChatRequest): RequestShape {
  const { messages, tools, response_format: format } = request
  const last = messages.at(-1)
  const newest = messages.findLast(({ role }) => role === 'user')
  const words = textOf(newest ?? last)
  const fromTool = last?.role === 'tool' || last?.role === 'function'
  const written = !fromTool && last?.role === 'user' && writtenResult.test(words)
  const asked = written ? messages.findLast(message => isAsked(message)) : newest
  const first = messages[0]
  return {
    text: asked === newest ? unwrapped(words) : unwrapped(textOf(asked)),
    result: fromTool ? textOf(last) : written ? unwrapped(words) : undefined,
    system: first?.role === 'system' || first?.role === 'developer' ? textOf(first) : '',
    tools: request.tool_choice === 'none' ? 0 : (tools?.length ?? 0),
    userTurns: messages.reduce((count, message) => count + (isAsked(message) ? 1 : 0), 0),
    image: Array.isArray(last?.content) && last.content.some(part => part.type === 'image_url'),
    json: format?.type === 'json_object' || format?.type === 'json_schema',
  }
}

/** The text of a message; parts that are no text are left out. */
function textOf(message: ChatMessage | undefined): string {
  const content = message?.content
  if (typeof content === 'string') return content
  return (content ?? []).map(part => (typeof part['text'] === 'string' ? part['text'] : '')).join('\n')
}

/** The user's own words, not a tool's result that a client writes in their place. */
function isAsked(message: ChatMessage): boolean {
  return message.role === 'user' && !writtenResult.test(textOf(message).slice(0, 300))
}

/** A request whose words are all wrapping keeps them. */
function unwrapped(text: string): string {
  if (!text.includes('<') || text.length > maxWrapped) return text
  const bare = text.replaceAll(wrappings, '').replaceAll(taskTags, '').trim()
  return bare === '' ? text : bare
}
