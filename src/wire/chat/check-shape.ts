import { isObject, type JsonObject } from '../../json.ts'
import { tokenCount } from '../usage.ts'

/** More choices or calls than this are an error; a sparse list with a billion places would take all memory. */
const maxChoices = 1_024
const maxCalls = 1_024

/** What is wrong with a stream chunk, as words that follow the server's name; undefined where it is valid. */
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

/** The same for a buffered answer. */
export function faultInCompletion(completion: JsonObject): string | undefined {
  const { choices } = completion
  if (!Array.isArray(choices) || choices.length === 0) return 'returned no choices'
  return faultInChoices(choices, ({ message }) => faultInMessage(message, 'message'))
}

/** The same for a buffered text completion. */
export function faultInTextCompletion({ choices }: JsonObject): string | undefined {
  if (!Array.isArray(choices) || choices.length === 0) return 'returned no choices'
  return faultInChoices(choices, ({ text }) => (typeof text === 'string' ? undefined : 'sent a choice without a text'))
}

/** The same for a ranking of documents. */
export function faultInRanking({ results }: JsonObject): string | undefined {
  if (!Array.isArray(results)) return 'returned no results'
  const isRanked = (each: unknown) =>
    isObject(each) && Number.isInteger(each['index']) && typeof each['relevance_score'] === 'number'
  return results.every(isRanked) ? undefined : 'sent a result without an index or a relevance_score'
}

/**
 * Bounds the counts of `usage` to integers that can be summed, in place, and drops a usage that is not an object. Returns
 * whether anything changed.
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
  if (!Array.isArray(choices)) return 'sent choices that are not a list'
  for (const choice of choices as unknown[]) {
    if (!isObject(choice)) return 'sent a choice that is not an object'
    choice['index'] ??= 0
    if (!isPlace(choice['index'], maxChoices)) return 'sent a choice with an invalid index'
    if (!isTextOrAbsent(choice['finish_reason'])) return 'sent a finish_reason that is not a string'
    if (!isTextOrAbsent(choice['text'])) return 'sent a text that is not a string'
    const fault = faultIn(choice)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultInMessage(message: unknown, name: string): string | undefined {
  if (!isObject(message)) return `sent a ${name} that is not an object`
  const { content, tool_calls: calls } = message
  // Some servers answer with a list of parts.
  const isContent = isTextOrAbsent(content) || (Array.isArray(content) && content.every(isObject))
  if (!isContent) return 'sent content that is not a string'
  for (const field of ['role', 'reasoning_content', 'reasoning', 'refusal']) {
    if (!isTextOrAbsent(message[field])) return `sent a ${field} that is not a string`
  }
  if (calls === undefined || calls === null) return undefined
  if (!Array.isArray(calls)) return 'sent tool_calls that are not a list'
  return (calls as unknown[]).map(faultInCall).find(fault => fault !== undefined)
}

function faultInCall(call: unknown): string | undefined {
  if (!isObject(call)) return 'sent a tool call that is not an object'
  const { index, id, function: called } = call
  if (index === null) delete call['index']
  else if (index !== undefined && !isPlace(index, maxCalls)) return 'sent a tool call with an invalid index'
  if (typeof id === 'number') call['id'] = String(id)
  else if (!isTextOrAbsent(id)) return 'sent a tool call with an id that is not a string'
  if (called === undefined || called === null) return undefined
  if (!isObject(called)) return 'sent a tool call whose function is not an object'
  return isTextOrAbsent(called['name']) ? undefined : 'sent a tool call whose name is not a string'
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string'
}

function isPlace(value: unknown, limit: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit
}
