import { isObject, type JsonObject } from '../../json.ts'
import { tokenCount } from '../usage.ts'

/** More choices or calls than these are no answer; a list with a hole of a billion places would take all memory. */
const maxChoices = 1_024
const maxCalls = 1_024

/** What is wrong with a chunk of a stream as a server sent it, in words that follow its name; undefined where nothing is. */
export function faultInChunk(chunk: JsonObject): string | undefined {
  const { choices } = chunk
  if (choices === undefined || choices === null) return undefined
  return faultInChoices(choices, choice => {
    const { delta } = choice
    if (delta === null) choice['delta'] = {}
    else if (delta !== undefined) return faultInMessage(delta, 'delta')
    return undefined
  })
}

/** The same for a whole answer. */
export function faultInCompletion(completion: JsonObject): string | undefined {
  const { choices } = completion
  if (!Array.isArray(choices) || choices.length === 0) return 'answered without a choice'
  return faultInChoices(choices, ({ message }) => faultInMessage(message, 'message'))
}

/** The same for a text completion. */
export function faultInTextCompletion({ choices }: JsonObject): string | undefined {
  return choices === undefined || choices === null ? undefined : faultInChoices(choices, () => undefined)
}

/**
 * Makes the counts of `usage` whole numbers that can be added up, in place, and drops what is no usage at all. Tells whether
 * anything was changed.
 */
export function boundUsage(answer: JsonObject): boolean {
  const { usage } = answer
  if (usage === undefined || usage === null) return false
  if (!isObject(usage)) {
    delete answer['usage']
    return true
  }
  let changed = false
  for (const field of ['prompt_tokens', 'completion_tokens', 'total_tokens']) {
    const given = usage[field]
    if (given === undefined || given === null || tokenCount(given) === given) continue
    usage[field] = tokenCount(given) ?? 0
    changed = true
  }
  return changed
}

function faultInChoices(choices: unknown, faultIn: (choice: JsonObject) => string | undefined): string | undefined {
  if (!Array.isArray(choices)) return 'sent choices that are no list'
  for (const choice of choices as unknown[]) {
    if (!isObject(choice)) return 'sent a choice that is no object'
    choice['index'] ??= 0
    if (!isPlace(choice['index'], maxChoices)) return 'sent a choice with an index that is none'
    if (!isTextOrAbsent(choice['finish_reason'])) return 'sent a finish_reason that is no text'
    if (!isTextOrAbsent(choice['text'])) return 'sent a text that is none'
    const fault = faultIn(choice)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultInMessage(message: unknown, name: string): string | undefined {
  if (!isObject(message)) return `sent a ${name} that is no object`
  const { content, tool_calls: calls } = message
  // Some servers answer with a list of parts.
  const isContent = isTextOrAbsent(content) || (Array.isArray(content) && content.every(isObject))
  if (!isContent) return 'sent content that is no text'
  for (const field of ['role', 'reasoning_content', 'reasoning', 'refusal']) {
    if (!isTextOrAbsent(message[field])) return `sent a ${field} that is no text`
  }
  if (calls === undefined || calls === null) return undefined
  if (!Array.isArray(calls)) return 'sent tool_calls that are no list'
  return (calls as unknown[]).map(faultInCall).find(fault => fault !== undefined)
}

function faultInCall(call: unknown): string | undefined {
  if (!isObject(call)) return 'sent a tool call that is no object'
  const { index, id, function: called } = call
  if (index === null) delete call['index']
  else if (index !== undefined && !isPlace(index, maxCalls)) return 'sent a tool call with an index that is none'
  if (typeof id === 'number') call['id'] = String(id)
  else if (!isTextOrAbsent(id)) return 'sent a tool call with an id that is no text'
  if (called === undefined || called === null) return undefined
  if (!isObject(called)) return 'sent a tool call whose function is no object'
  return isTextOrAbsent(called['name']) ? undefined : 'sent a tool call whose name is no text'
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string'
}

function isPlace(value: unknown, limit: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit
}
