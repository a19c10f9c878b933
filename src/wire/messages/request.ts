import { GatewayError } from '../../errors.ts'
import { MessagesRequest, type MessagesBlock } from './schema.ts'
import { asDescribed } from './client-tools.ts'
import { partFromBlock } from './blocks.ts'
import type { ChatMessage, ChatRequest, ChatTool } from '../chat/schema.ts'
import { asObject, asString, compact, type JsonObject } from '../../json.ts'
import { readBody, wrongField } from '../read-body.ts'
import { anthropicFormat, unseal, type ReasoningDetail } from '../chat/reasoning-details.ts'
import { effortFromBudget } from '../chat/reasoning-effort.ts'

/**
 * Converts a Messages request to chat completions. Fields without a chat equivalent are kept under `anthropic` (on the
 * request, a tool or a part); `cache_control` keeps its name and position. Throws `invalid_request`.
 */
export function chatFromMessages(body: unknown): { request: ChatRequest; notes: string[] } {
  const asked = readBody(MessagesRequest, body)
  if (asked['thread'] !== undefined && asked['thread'] !== null) throw threadsUnsupported()
  const { model, messages, system, max_tokens, stop_sequences, stream, tools, tool_choice, thinking, ...others } = asked
  const { metadata, output_config, temperature, top_p, top_k, cache_control, ...rest } = others
  const { format, ...outputRest } = output_config ?? {}
  const { user_id, ...metadataRest } = metadata ?? {}

  const described = (tools ?? []).map(tool => (isFunction(tool) ? tool : asDescribed(tool)))
  const functions = described.filter(tool => tool !== undefined)
  const serverTools = (tools ?? []).filter((_tool, index) => described[index] === undefined)
  const kept = compact({
    ...rest,
    thinking,
    output_config: filledOr(outputRest),
    tools: serverTools.length === 0 ? undefined : serverTools,
  })

  const request = compact({
    model,
    messages: [
      ...(system === undefined || system === null ? [] : [{ role: 'system', content: contentOf(system, 'system') }]),
      ...messages.flatMap((message, index) => chatMessages(message, `messages.${index}`)),
    ],
    stream,
    stream_options: stream === true ? { include_usage: true } : undefined,
    max_tokens,
    stop: stop_sequences,
    tools: functions.length === 0 ? undefined : functions.map((tool, index) => chatTool(tool, `tools.${index}`)),
    ...toolChoice(tool_choice ?? undefined),
    reasoning_effort: effortOf(thinking ?? undefined, outputRest['effort']),
    response_format: responseFormat(format),
    temperature,
    top_p,
    top_k,
    cache_control,
    user: user_id,
    metadata: filledOr(metadataRest),
    anthropic: filledOr(kept),
  })
  return { request: request as ChatRequest, notes: serverTools.map(noteOnTool) }
}

/** Anthropic's SDK understands this code, and sends the whole conversation instead. */
function threadsUnsupported(): GatewayError {
  return new GatewayError('unsupported', 'Threads are not kept here; send the whole conversation in messages.', {
    param: 'thread',
    details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] },
  })
}

/** Anthropic's server tools have a versioned type and no schema that another model could use. */
function isFunction(tool: JsonObject): boolean {
  return tool['type'] === undefined || tool['type'] === null || tool['type'] === 'custom'
}

function noteOnTool(tool: JsonObject): string {
  return `tool ${asString(tool['name']) ?? ''} (${String(tool['type'])}) is run by Anthropic's servers and was omitted`
}

function chatMessages(message: MessagesRequest['messages'][number], path: string): ChatMessage[] {
  const { role, content } = message
  if (role === 'assistant') return [assistantMessage(content, path)]
  if (role !== 'user' && role !== 'system') throw wrongField(`${path}.role`, 'user, assistant or system')
  if (typeof content === 'string') return [{ role, content }]
  const results = content.filter(block => block.type === 'tool_result')
  const others = content.filter(block => block.type !== 'tool_result')
  return [
    ...results.map(block => toolMessage(block, `${path}.content`)),
    ...(others.length > 0 || results.length === 0 ? [{ role, content: contentOf(others, `${path}.content`) }] : []),
  ]
}

function contentOf(content: string | MessagesBlock[], path: string): ChatMessage['content'] {
  if (typeof content === 'string') return content
  return content.map((block, index) => partFromBlock(block, `${path}.${index}`))
}

/** `cache_control` of a complete result moves to its last part, where servers look for it. */
function toolMessage(block: MessagesBlock, path: string): ChatMessage {
  const { tool_use_id, content, is_error, cache_control } = block
  if (typeof tool_use_id !== 'string') throw wrongField(`${path}.tool_use_id`, 'a string')
  const parts = resultParts(content, `${path}.content`)
  const last = typeof parts === 'string' ? undefined : parts.at(-1)
  const cached = cache_control === undefined || cache_control === null ? undefined : { cache_control }
  const marked =
    cached === undefined
      ? parts
      : typeof parts === 'string'
        ? [{ type: 'text', text: parts, ...cached }]
        : [...parts.slice(0, -1), ...(last === undefined ? [] : [{ ...cached, ...last }])]
  return compact({ role: 'tool', tool_call_id: tool_use_id, content: marked, is_error: is_error === true || undefined })
}

function resultParts(content: unknown, path: string): string | JsonObject[] {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw wrongField(path, 'a string or a list of blocks')
  return content.map((item, index) => {
    const block = asObject(item)
    if (typeof block?.['type'] !== 'string') throw wrongField(`${path}.${index}.type`, 'a string')
    return partFromBlock(block as MessagesBlock, `${path}.${index}`)
  })
}

function assistantMessage(content: string | MessagesBlock[], path: string): ChatMessage {
  if (typeof content === 'string') return { role: 'assistant', content }
  const parts: JsonObject[] = []
  const calls: JsonObject[] = []
  const reasoningTexts: string[] = []
  const details: ReasoningDetail[] = []
  content.forEach((block, index) => {
    const place = `${path}.content.${index}`
    if (block.type === 'tool_use') calls.push(toolCall(block, place))
    else if (block.type === 'thinking') think(block, place, reasoningTexts, details)
    else if (block.type === 'redacted_thinking') details.push(...redacted(block, place, details.length))
    else parts.push(partFromBlock(block, place))
  })
  const only = parts.length === 1 && Object.keys(parts[0]!).length === 2 ? asString(parts[0]!['text']) : undefined
  return compact({
    role: 'assistant',
    content: only ?? (parts.length === 0 ? '' : parts),
    reasoning_content: reasoningTexts.length === 0 ? undefined : reasoningTexts.join('\n\n'),
    reasoning_details: details.length === 0 ? undefined : details,
    tool_calls: calls.length === 0 ? undefined : calls,
  })
}

/** Reasoning without a signature came from a model that signs nothing: its text is all there is. */
function think(block: MessagesBlock, path: string, reasoningTexts: string[], details: ReasoningDetail[]): void {
  const { thinking, signature } = block
  if (typeof thinking !== 'string') throw wrongField(`${path}.thinking`, 'a string')
  if (thinking !== '') reasoningTexts.push(thinking)
  if (typeof signature !== 'string' || signature === '') return
  details.push({ type: 'reasoning.text', text: thinking, signature, format: anthropicFormat, index: details.length })
}

function redacted(block: MessagesBlock, path: string, index: number): ReasoningDetail[] {
  const { data } = block
  if (typeof data !== 'string') throw wrongField(`${path}.data`, 'a string')
  return unseal(data) ?? [{ type: 'reasoning.encrypted', data, format: anthropicFormat, index }]
}

function toolCall(block: MessagesBlock, path: string): JsonObject {
  const { id, name, input, cache_control } = block
  if (typeof id !== 'string') throw wrongField(`${path}.id`, 'a string')
  if (typeof name !== 'string') throw wrongField(`${path}.name`, 'a string')
  return compact({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(input ?? {}) },
    cache_control,
  })
}

function chatTool(tool: JsonObject, path: string): ChatTool {
  const { name, description, input_schema, strict, cache_control, type, ...rest } = tool
  if (typeof name !== 'string') throw wrongField(`${path}.name`, 'a string')
  const kept = compact({ type, ...rest })
  return compact({
    type: 'function',
    function: compact({ name, description, parameters: input_schema, strict }),
    cache_control,
    anthropic: filledOr(kept),
  })
}

const choices: ReadonlyMap<unknown, string> = new Map([
  ['auto', 'auto'],
  ['any', 'required'],
  ['none', 'none'],
])

function toolChoice(choice: JsonObject | undefined): JsonObject {
  if (choice === undefined) return {}
  const { type, name, disable_parallel_tool_use: alone } = choice
  const parallel = typeof alone === 'boolean' ? { parallel_tool_calls: !alone } : {}
  if (type === 'tool') {
    if (typeof name !== 'string') throw wrongField('tool_choice.name', 'a string')
    return { tool_choice: { type: 'function', function: { name } }, ...parallel }
  }
  const word = choices.get(type)
  if (word === undefined) throw wrongField('tool_choice.type', 'auto, any, tool or none')
  return { tool_choice: word, ...parallel }
}

function effortOf(thinking: JsonObject | undefined, effort: unknown): string | undefined {
  if (thinking?.['type'] === 'disabled') return 'none'
  if (typeof effort === 'string') return effort
  return effortFromBudget(thinking?.['budget_tokens'])
}

function responseFormat(format: unknown): JsonObject | undefined {
  const wanted = asObject(format)
  if (wanted === undefined) return undefined
  return { type: 'json_schema', json_schema: { name: 'response', schema: wanted['schema'], strict: true } }
}

function filledOr(fields: JsonObject): JsonObject | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields
}
