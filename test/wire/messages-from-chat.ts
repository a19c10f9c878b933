import { blockFromPart } from '../../src/wire/messages/blocks.ts'
import type { ChatMessage, ChatRequest } from '../../src/wire/chat/schema.ts'
import { asObject, asObjects, asString, compact, parseObject, type JsonObject } from '../../src/json.ts'
import { anthropicFormat, readDetails } from '../../src/wire/chat/reasoning-details.ts'

/**
 * Converts a chat request to Messages, for servers that support only Messages: the inverse of `chatFromMessages`.
 * `defaultMaxTokens` is sent where the caller set no limit, because Messages requires one. Fields that Messages lacks
 * (`n`, `seed`, `logprobs`, penalties) are left out, and so is reasoning without a signature, which Anthropic rejects.
 */
export function messagesFromChat(request: ChatRequest, defaultMaxTokens: number): JsonObject {
  const { thinking, output_config, tools: serverTools, ...kept } = asObject(request['anthropic']) ?? {}
  const config = asObject(output_config)
  // A Messages caller has already set the thinking options.
  const effort = thinking === undefined && config?.['effort'] === undefined ? request['reasoning_effort'] : undefined
  const firstTurn = request.messages.findIndex(message => !isSystem(message))
  const system = request.messages.slice(0, firstTurn < 0 ? undefined : firstTurn)
  const turns = firstTurn < 0 ? [] : request.messages.slice(firstTurn)
  return compact({
    ...kept,
    model: request.model,
    system: systemContent(system),
    messages: messagesOf(turns),
    max_tokens: request.max_completion_tokens ?? request.max_tokens ?? defaultMaxTokens,
    stop_sequences: typeof request.stop === 'string' ? [request.stop] : request.stop,
    stream: request.stream,
    tools: toolsOf(request, serverTools),
    tool_choice: toolChoice(request),
    thinking: thinking ?? thinkingOf(effort),
    output_config: outputConfig(request, config, effort),
    temperature: request['temperature'],
    top_p: request['top_p'],
    top_k: request['top_k'],
    cache_control: request['cache_control'],
    metadata: metadataOf(request),
  })
}

function isSystem(message: ChatMessage): boolean {
  return message.role === 'system' || message.role === 'developer'
}

function systemContent(messages: readonly ChatMessage[]): string | JsonObject[] | undefined {
  const [first, ...more] = messages
  if (first === undefined) return undefined
  if (more.length === 0 && typeof first.content === 'string') return first.content
  return messages.flatMap(message => blocksOf(message.content))
}

/** In Messages, tool results and the user message after them form one turn. */
function messagesOf(turns: readonly ChatMessage[]): JsonObject[] {
  const messages: { role: string; content: string | JsonObject[] }[] = []
  let results: JsonObject[] | undefined
  for (const turn of turns) {
    if (turn.role === 'tool') {
      if (results === undefined) messages.push({ role: 'user', content: (results = []) })
      results.push(toolResult(turn))
    } else if (turn.role === 'user' && results !== undefined) {
      results.push(...blocksOf(turn.content))
      results = undefined
    } else {
      results = undefined
      if (turn.role === 'assistant') messages.push({ role: 'assistant', content: assistantBlocks(turn) })
      else messages.push({ role: isSystem(turn) ? 'system' : 'user', content: contentOf(turn.content) })
    }
  }
  return messages.filter(message => message.content.length > 0)
}

function contentOf(content: ChatMessage['content']): string | JsonObject[] {
  return typeof content === 'string' ? content : blocksOf(content)
}

function blocksOf(content: ChatMessage['content']): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return (content ?? []).map(blockFromPart).filter(block => block !== undefined)
}

function toolResult(message: ChatMessage): JsonObject {
  const content = typeof message.content === 'string' ? message.content : blocksOf(message.content)
  return compact({
    type: 'tool_result',
    tool_use_id: toolId(message['tool_call_id']),
    content,
    is_error: message['is_error'],
  })
}

function assistantBlocks(message: ChatMessage): string | JsonObject[] {
  const thoughts = thoughtBlocks(message)
  const calls = asObjects(message['tool_calls']).map(toolUse)
  if (thoughts.length === 0 && calls.length === 0) return contentOf(message.content)
  return [...thoughts, ...blocksOf(message.content), ...calls]
}

function thoughtBlocks(message: ChatMessage): JsonObject[] {
  return readDetails(message['reasoning_details'])
    .filter(detail => detail.format === anthropicFormat)
    .map(detail =>
      detail.type === 'reasoning.encrypted'
        ? { type: 'redacted_thinking', data: detail.data ?? '' }
        : { type: 'thinking', thinking: detail.text ?? '', signature: detail.signature ?? '' },
    )
    .filter(block => block.data !== '' && block.signature !== '')
}

function toolUse(call: JsonObject): JsonObject {
  const called = asObject(call['function']) ?? {}
  const text = asString(called['arguments']) ?? ''
  return compact({
    type: 'tool_use',
    id: toolId(call['id']),
    name: called['name'],
    // A model may have produced arguments that are not an object; its own text is the most faithful history.
    input: parseObject(text) ?? (text.trim() === '' ? {} : { arguments: text }),
    cache_control: call['cache_control'],
  })
}

/** Anthropic accepts only these characters in ids; call and result are changed alike, so they still match. */
function toolId(id: unknown): string {
  return (asString(id) ?? '').replaceAll(/[^a-zA-Z0-9_-]/g, '_')
}

function toolsOf(request: ChatRequest, serverTools: unknown): JsonObject[] | undefined {
  const functions = (request.tools ?? []).flatMap(tool => {
    const called = asObject(tool['function'])
    if (called === undefined) return []
    const { name, description, parameters, strict } = called
    const schema = parameters ?? { type: 'object', properties: {} }
    return [
      compact({
        ...asObject(tool['anthropic']),
        name,
        description,
        input_schema: schema,
        strict,
        cache_control: tool['cache_control'],
      }),
    ]
  })
  const tools = [...functions, ...asObjects(serverTools)]
  return tools.length === 0 ? undefined : tools
}

const choices: ReadonlyMap<unknown, string> = new Map([
  ['auto', 'auto'],
  ['required', 'any'],
  ['none', 'none'],
])

function toolChoice(request: ChatRequest): JsonObject | undefined {
  const choice = request.tool_choice
  const parallel = request['parallel_tool_calls']
  const alone = typeof parallel === 'boolean' ? { disable_parallel_tool_use: !parallel } : {}
  const name = asObject(asObject(choice)?.['function'])?.['name']
  if (name !== undefined) return { type: 'tool', name, ...alone }
  const type = choices.get(choice)
  if (type === 'none') return { type }
  if (type === undefined && parallel !== false) return undefined
  return { type: type ?? 'auto', ...alone }
}

function thinkingOf(effort: unknown): JsonObject | undefined {
  if (typeof effort !== 'string') return undefined
  return { type: effort === 'none' ? 'disabled' : 'adaptive' }
}

function outputConfig(request: ChatRequest, kept: JsonObject | undefined, effort: unknown): JsonObject | undefined {
  const format = request.response_format
  const schema = asObject(format?.['json_schema'])?.['schema']
  const config = compact({
    ...kept,
    effort: kept?.['effort'] ?? (effort === 'none' ? undefined : effort === 'minimal' ? 'low' : effort),
    format: format?.type === 'json_schema' ? { type: 'json_schema', schema } : undefined,
  })
  return Object.keys(config).length === 0 ? undefined : config
}

function metadataOf(request: ChatRequest): JsonObject | undefined {
  const metadata = compact({ ...request.metadata, user_id: request['user'] })
  return Object.keys(metadata).length === 0 ? undefined : metadata
}
