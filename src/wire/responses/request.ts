import type { ChatMessage, ChatRequest } from '../chat/schema.ts'
import { asObject, asObjects, asString, compact, type JsonObject } from '../../json.ts'
import { GatewayError } from '../../errors.ts'
import { filledFields, omittedNote } from '../notes.ts'
import { readBody, wrongField } from '../read-body.ts'
import { inputItems, ResponsesRequest } from './schema.ts'
import { isCompaction, summaryRequest } from './compaction.ts'
import { createTranscript } from './transcript.ts'
import { createToolBridge, type ToolBridge } from './tools.ts'

export interface ResponsesAsk {
  request: ChatRequest
  notes: readonly string[]
  /** For translating the answer. */
  bridge: ToolBridge
  /** The answer is a summary, as one item. */
  compaction: boolean
  /** The fields of the request that a Response repeats. */
  asked: ResponsesRequest
}

/** Fields with the same name in chat completions. */
const sameName = [
  'parallel_tool_calls',
  'temperature',
  'top_p',
  'top_logprobs',
  'metadata',
  'user',
  'safety_identifier',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'moderation',
  'models',
  'provider',
  'session_id',
] as const

/**
 * Converts a Responses request to chat completions. `previous_response_id` must be resolved before. Throws
 * `invalid_request`.
 */
export function chatFromResponses(body: unknown): ResponsesAsk {
  const asked = readBody(ResponsesRequest, body)
  refuseUnsupported(asked)
  const bridge = createToolBridge()
  bridge.add(asked.tools ?? [])
  const notes: string[] = []
  const transcript = createTranscript(bridge, notes)
  if (asked.instructions != null && asked.instructions !== '') {
    transcript.add({ type: 'message', role: 'system', content: asked.instructions }, 'instructions')
  }
  inputItems(asked.input).forEach((item, index) => {
    transcript.add(item, `input.${index}`)
  })
  const messages: ChatMessage[] = transcript.messages()
  if (messages.length === 0) throw wrongField('input', 'a string or a list with at least one message')
  const compaction = isCompaction(asked.input)
  if (compaction) messages.push(summaryRequest)
  const choice = compaction ? {} : toolChoice(asked, bridge)
  const request = compact({
    model: asked.model,
    messages,
    stream: asked.stream,
    stream_options: asked.stream === true ? { include_usage: true } : undefined,
    max_tokens: asked.max_output_tokens,
    ...choice,
    reasoning_effort: asked.reasoning?.effort,
    response_format: compaction ? undefined : responseFormat(asked.text?.format ?? undefined),
    verbosity: asked.text?.['verbosity'],
    logprobs: asksLogprobs(asked) ? true : undefined,
    ...Object.fromEntries(sameName.map(name => [name, asked[name]])),
  })
  const dropped = filledFields(asked).filter(name => !known.has(name) && asked[name] !== neutral[name])
  notes.push(...dropped.map(name => omittedNote(name)))
  return {
    request: request as ChatRequest,
    notes: [...bridge.notes(), ...notes],
    bridge,
    compaction,
    asked: echoOf(asked),
  }
}

function asksLogprobs({ top_logprobs: most, include }: ResponsesRequest): boolean {
  const included = Array.isArray(include) && include.includes('message.output_text.logprobs')
  return included || (typeof most === 'number' && most > 0)
}

/** Fields that are translated or answered here. */
const known: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'stream',
  'tools',
  'tool_choice',
  'max_output_tokens',
  'reasoning',
  'text',
  'previous_response_id',
  'store',
  'background',
  'conversation',
  'prompt',
  // Encrypted reasoning is always there; obfuscation pads events, and ours are not.
  'include',
  'stream_options',
  ...sameName,
])

/** Values that ask for what happens anyway. */
const neutral: Readonly<Record<string, unknown>> = { truncation: 'disabled' }

/** What only OpenAI's servers keep or run, and the request would be another one without. */
const unsupportedFields: Readonly<Record<string, string>> = {
  background: 'send it without background, or submit a task',
  conversation: 'use previous_response_id, or send the whole conversation as input',
  prompt: 'send the text of the prompt as instructions or input',
}

function refuseUnsupported(asked: ResponsesRequest): void {
  for (const [field, remedy] of Object.entries(unsupportedFields)) {
    const value = asked[field]
    if (value === undefined || value === null || value === false) continue
    throw new GatewayError('unsupported', `${field} is not supported here; ${remedy}.`, { param: field })
  }
}

/** What a Response repeats. All else is dropped here, so that it is not kept in memory while the request waits. */
function echoOf(asked: ResponsesRequest): ResponsesRequest {
  const echo = Object.fromEntries(echoedFields.map(name => [name, asked[name]]))
  return { ...echo, model: asked.model, input: [] }
}

const echoedFields = [
  'instructions',
  'max_output_tokens',
  'metadata',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt_cache_key',
  'reasoning',
  'store',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_p',
  'truncation',
] as const

function toolChoice(asked: ResponsesRequest, bridge: ToolBridge): JsonObject {
  const tools = bridge.functions()
  if (tools.length === 0) return {}
  const choice = asked.tool_choice
  if (typeof choice === 'string' || choice == null) return { tools, tool_choice: choice ?? undefined }
  const named = (described: JsonObject) =>
    bridge.nameOf(asString(described['name']) ?? String(described['type']), asString(described['namespace']))
  if (choice.type === 'allowed_tools') {
    const allowed = new Set(asObjects(choice['tools']).map(named))
    const left = tools.filter(tool => allowed.has(String(asObject(tool['function'])?.['name'])))
    return left.length === 0 ? {} : { tools: left, tool_choice: choice['mode'] }
  }
  const name = named(choice)
  const exists = tools.some(tool => asObject(tool['function'])?.['name'] === name)
  return { tools, tool_choice: exists ? { type: 'function', function: { name } } : 'auto' }
}

function responseFormat(format: JsonObject | undefined): JsonObject | undefined {
  if (format === undefined || format['type'] === 'text') return undefined
  if (format['type'] !== 'json_schema') return format
  const { type, ...json_schema } = format
  return { type, json_schema }
}
