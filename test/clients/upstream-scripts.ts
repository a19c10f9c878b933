import type { SeenRequest } from '../helpers/scripted-upstream.ts'
import type { Answer } from '../helpers/upstream-script.ts'
import type { CodingAgent } from './coding-agents.ts'

interface Message {
  role: string
  content?: unknown
  tool_calls?: { function: { name: string } }[]
}

/** What a scripted model answers an agent, request by request. */
export type AgentScript = (request: SeenRequest) => Answer

const done: Answer = { text: 'All is DONE.' }
/** The task that an agent hands over by MCP. */
export const delegated = 'DELEGATED: say hello.'

/** Calls the agent’s shell once and is content with its result. */
export function oneCall({ shell: { tool, input } }: CodingAgent): AgentScript {
  const call = { name: tool, arguments: input('echo written > proof.txt') }
  return request =>
    offers(request, tool) && !hasResult(request) ? { reasoning: 'I write it.', toolCalls: [call] } : done
}

/** The same, as a model whose server leaves reasoning and calls in the text. */
export function oneCallInText({ shell: { tool, input } }: CodingAgent): AgentScript {
  const call = { name: tool, arguments: input('echo written > proof.txt') }
  const text = ['<thi', 'nk>I write it.</think>\n<tool', `_call>${JSON.stringify(call)}</tool_call>`]
  return request => (offers(request, tool) && !hasResult(request) ? { text } : done)
}

/** The same behind a chat template that raises for a system message that is not the first, as those of Qwen 3.5 and later. */
export function strictTemplate(script: AgentScript): AgentScript {
  return request => {
    const late = messagesOf(request).some(({ role }, index) => index > 0 && (role === 'system' || role === 'developer'))
    if (!late) return script(request)
    return { error: { status: 500, message: 'System message must be at the beginning.' } }
  }
}

export interface LongConversation {
  script: AgentScript
  /** Whether the conversation became much shorter again. */
  wasCompacted: () => boolean
}

const maxTurns = 40
const linesPerTurn = 300
const tokensPerTurn = 5_000
/** Of English in JSON, about. */
const charsPerToken = 4

const summary: Answer = { text: 'Summary: lines were read; nothing else happened. Go on.' }

/** Fills the agent's context with what the model says between its calls, until the agent makes room; then is content. */
export function longConversation({ shell: { tool, input } }: CodingAgent): LongConversation {
  /** How long the request would be if nothing had been left out. */
  let complete = 0
  let compacted = false
  let turns = 0
  return {
    wasCompacted: () => compacted,
    script(request) {
      const length = JSON.stringify(request.body).length
      const usage = { promptTokens: Math.round(length / charsPerToken), outputTokens: tokensPerTurn }
      if (!offers(request, tool)) return { ...summary, usage }
      // Before anything else: what goes on after the summary quotes it, and looks like another request for one.
      if (length < complete * 0.7) compacted = true
      complete = Math.max(complete, length)
      if (compacted) return { ...done, usage }
      if (turns > 0 && asksForSummary(request)) return { ...summary, usage }
      if (++turns > maxTurns) return { ...done, usage }
      const line = (index: number) =>
        `Line ${String(index)} of part ${String(turns)} was read, and nothing is wrong there.`
      const text = Array.from({ length: linesPerTurn }, (_, index) => line(index)).join('\n')
      complete += text.length
      // Agents drop a call whose id they have seen before.
      const call = { id: `call_${String(turns)}`, name: tool, arguments: input(`echo turn ${String(turns)}`) }
      return { text, toolCalls: [call], usage }
    },
  }
}

/**
 * Looks for the tools where an agent hides them, calls route_task once, waits for its result, and is content; the delegated task
 * itself is answered at once.
 */
export const delegating: AgentScript = request => {
  const messages = messagesOf(request)
  if (messages.length === 1 && JSON.stringify(messages[0]).includes(delegated)) return { text: 'Hello.' }
  const names = toolsOf(request)
  const called = messages.flatMap(({ tool_calls }) => (tool_calls ?? []).map(call => call.function.name))
  // Agents put the name of the server before it.
  const route = names.find(name => name.endsWith('route_task') && !name.includes('preemptive'))
  const status = names.find(name => name.endsWith('get_task_status'))
  const search = names.find(name => name === 'tool_search')
  const once = (name: string | undefined, input: Record<string, unknown>): Answer | undefined =>
    name === undefined || called.includes(name)
      ? undefined
      : // Agents drop a call whose id they have seen before.
        { toolCalls: [{ id: `call_${name}`, name, arguments: input }] }
  const taskId = /task_[0-9a-f-]{36}/.exec(JSON.stringify(messages))?.[0]
  if (route === undefined) return once(search, { query: 'route_task get_task_status' }) ?? done
  const routed = once(route, { task: delegated, context_length: 0 })
  if (routed !== undefined || taskId === undefined) return routed ?? done
  return once(status, { task_id: taskId, wait_seconds: 20 }) ?? done
}

/** Some agents offer their tools even when they want nothing but a summary. */
function asksForSummary(request: SeenRequest): boolean {
  const last = messagesOf(request).at(-1)
  return last?.role === 'user' && /summar|compact|handoff/i.test(JSON.stringify(last.content))
}

function messagesOf({ body }: SeenRequest): Message[] {
  return (body['messages'] ?? []) as Message[]
}

function toolsOf({ body }: SeenRequest): string[] {
  return ((body['tools'] ?? []) as { function?: { name: string } }[]).flatMap(tool => tool.function?.name ?? [])
}

function offers(request: SeenRequest, tool: string): boolean {
  return toolsOf(request).includes(tool)
}

/** Whether a request carries the result of a call. */
export function hasResult(request: SeenRequest): boolean {
  return messagesOf(request).some(({ role }) => role === 'tool')
}
