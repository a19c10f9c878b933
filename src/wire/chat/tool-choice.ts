import { asObject, asObjects, asString, isObject } from '../../json.ts'
import type { ChatRequest, ChatTool } from './schema.ts'

/** What `tool_choice` demands, in whichever form it is written. */
export interface ToolChoice {
  /** A call must be made, rather than may be. */
  forced: boolean
  /** The only functions that may be called; undefined where every offered one may be. */
  only?: readonly string[]
}

/** Reads `tool_choice`: a word, a named function or custom tool, or `allowed_tools` with the mode auto or required. */
export function toolChoiceOf(choice: unknown): ToolChoice {
  if (choice === 'required' || choice === 'any') return { forced: true }
  if (!isObject(choice)) return { forced: false }
  const { type } = choice
  if (type === 'auto' || type === 'none') return { forced: false }
  if (type === 'allowed_tools') {
    const allowed = asObject(choice['allowed_tools']) ?? choice
    return { forced: allowed['mode'] === 'required', only: asObjects(allowed['tools']).flatMap(named) }
  }
  const only = named(choice)
  return only.length === 0 ? { forced: true } : { forced: true, only }
}

/** The functions that `tool_choice` leaves callable. */
export function callableTools({ tools, tool_choice: choice }: ChatRequest): ChatTool[] {
  if (choice === 'none') return []
  const { only } = toolChoiceOf(choice)
  return (tools ?? []).filter(tool => only === undefined || named(tool).some(name => only.includes(name)))
}

function named(described: Record<string, unknown>): string[] {
  const inner = asObject(described['function']) ?? asObject(described['custom'])
  const name = asString(inner?.['name'])
  return name === undefined ? [] : [name]
}
