import { GatewayError } from '../../errors.ts'
import { isObject, parseJson } from '../../json.ts'
import type { ChatMessage, ChatRequest } from '../../wire/chat/schema.ts'
import { callableTools } from '../../wire/chat/tool-choice.ts'
import { sameOptions } from '../../wire/ollama/schema.ts'
import type { ProviderCall } from '../provider.ts'
import { instructed, type ForcedCall } from './forced-call.ts'

/** What `ollamaRequest` translates, what the router reads, and what `rejectUnsupported` refuses where it matters. */
export const ollamaFields: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'tools',
  'tool_choice',
  'response_format',
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'options',
  'think',
  'reasoning_effort',
  'reasoning',
  'keep_alive',
  ...sameOptions,
  'models',
  'metadata',
  'usage',
  'stream_options',
  'n',
  'logprobs',
  'top_logprobs',
  'logit_bias',
])

/** Converts the request to Ollama's native `/api/chat`. Throws `unsupported` for what it cannot express. */
export function ollamaRequest(
  { model, request }: ProviderCall,
  contextTokens: number,
  forced?: ForcedCall,
): Record<string, unknown> {
  const tools = forced === undefined ? callableTools(request).filter(tool => isObject(tool.function)) : []
  return {
    model: model.name,
    messages: ollamaMessages(forced === undefined ? request.messages : instructed(request.messages, forced)),
    // Even for a buffered answer: only a stream shows whether the server is working or hung.
    stream: true,
    options: optionsOf(request, contextTokens),
    // Ollama would otherwise truncate the prompt, or drop its beginning while generating, without an error.
    truncate: false,
    shift: false,
    ...(tools.length > 0 ? { tools } : {}),
    ...given('format', forced?.format ?? formatOf(request)),
    ...given('think', model.capabilities.reasoning === true ? thinkOf(request) : undefined),
    ...given('keep_alive', request.keep_alive),
  }
}

export function optionsOf(request: ChatRequest, contextTokens: number): Record<string, unknown> {
  const own = isObject(request.options) ? request.options : {}
  const asked = typeof own.num_ctx === 'number' ? own.num_ctx : 0
  return {
    ...own,
    ...Object.fromEntries(
      sameOptions.map(name => [name, request[name] ?? undefined]).filter(([, value]) => value !== undefined),
    ),
    ...given('num_predict', request.max_completion_tokens ?? request.max_tokens),
    ...given('stop', typeof request.stop === 'string' ? [request.stop] : request.stop),
    num_ctx: Math.max(asked, contextTokens),
  }
}

function formatOf({ response_format: format }: ChatRequest): unknown {
  if (format?.type === 'json_object') return 'json'
  if (format?.type !== 'json_schema') return undefined
  return (isObject(format.json_schema) ? format.json_schema.schema : undefined) ?? 'json'
}

/** `reasoning_effort`, OpenRouter's `reasoning` or Ollama's own `think`. */
function thinkOf(request: ChatRequest): unknown {
  const { think, reasoning_effort: effort, reasoning } = request
  if (think !== undefined && think !== null) return think
  const level = effort ?? (isObject(reasoning) ? (reasoning.effort ?? reasoning.enabled) : undefined)
  if (typeof level === 'boolean') return level
  switch (level) {
    case 'none':
      return false
    case 'minimal':
      return 'low'
    case 'low':
    case 'medium':
    case 'high':
      return level
    case 'xhigh':
    case 'max':
      return 'high'
    default:
      return undefined
  }
}

function ollamaMessages(messages: readonly ChatMessage[]): Record<string, unknown>[] {
  const names = new Map<string, string>()
  return messages.map(message => {
    const calls = toolCallsOf(message)
    for (const { id, function: called } of calls) if (id !== undefined) names.set(id, called.name)
    const { text, images } = contentOf(message)
    return {
      role: roleOf(message.role),
      content: text,
      ...(images.length > 0 ? { images } : {}),
      ...given('thinking', message.reasoning_content ?? message.reasoning),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      ...(message.role === 'tool' ? toolResultOf(message, names) : {}),
    }
  })
}

function roleOf(role: string): string {
  if (role === 'developer') return 'system'
  return role === 'function' ? 'tool' : role
}

function toolResultOf(message: ChatMessage, names: ReadonlyMap<string, string>): Record<string, unknown> {
  const id = typeof message.tool_call_id === 'string' ? message.tool_call_id : undefined
  const name = message.name ?? (id === undefined ? undefined : names.get(id))
  return { ...given('tool_name', name), ...given('tool_call_id', id) }
}

interface OllamaToolCall {
  id?: string
  function: { name: string; arguments: unknown }
}

function toolCallsOf({ tool_calls: calls }: ChatMessage): OllamaToolCall[] {
  if (!Array.isArray(calls)) return []
  return calls.flatMap((call: unknown) => {
    if (!isObject(call) || !isObject(call.function)) return []
    const { name, arguments: written } = call.function
    const id = typeof call.id === 'string' ? { id: call.id } : {}
    return [{ ...id, function: { name: String(name), arguments: argumentsOf(written) } }]
  })
}

/** Arguments that a model once wrote may not be JSON; the conversation must continue regardless. */
function argumentsOf(written: unknown): Record<string, unknown> {
  const value = typeof written === 'string' ? parseJson(written) : written
  if (isObject(value)) return value
  return written === '' || written === undefined || written === null ? {} : { input: written }
}

function contentOf({ content }: ChatMessage): { text: string; images: string[] } {
  if (typeof content === 'string') return { text: content, images: [] }
  const texts: string[] = []
  const images: string[] = []
  for (const part of content ?? []) {
    if (part.type === 'image_url') images.push(imageOf(part.image_url))
    else if (typeof part.text === 'string') texts.push(part.text)
    else if (typeof part.refusal === 'string') texts.push(part.refusal)
    else throw unsupported(`content of type ${part.type ?? 'unknown'}`, 'omit it or use another model')
  }
  return { text: texts.join('\n'), images }
}

/** Ollama accepts images in base64 only and fetches no URLs. */
function imageOf(image: unknown): string {
  const url = isObject(image) ? image.url : image
  const data = typeof url === 'string' ? /^data:[^,]*;base64,(.*)$/is.exec(url)?.[1] : undefined
  if (data !== undefined) return data
  throw unsupported('an image URL', 'send it as a base64 data: URL or use another model')
}

function unsupported(what: string, remedy: string): GatewayError {
  return new GatewayError('unsupported', `Ollama does not accept ${what}; ${remedy}.`, { param: 'messages' })
}

/** Includes a field only where there is a value. */
function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined || value === null ? {} : { [name]: value }
}
