import type { Model, Provider } from '../providers/provider.ts'
import type { ChatMessage, ChatRequest } from '../wire/chat/schema.ts'
import { GatewayError } from '../errors.ts'
import { asObject, compact, isObject } from '../json.ts'
import { nearestEffort } from '../wire/chat/reasoning-effort.ts'
import { callableTools, toolChoiceOf } from '../wire/chat/tool-choice.ts'
import { filledFields, omittedNote } from '../wire/notes.ts'
import { withOneSystemMessage } from '../wire/chat/system-messages.ts'
import { withImagesBehindResults } from './tool-images.ts'
import { notesOnUnknownFields } from './unknown-fields.ts'

/** The candidate that the request goes to. */
export interface Target {
  model: Model
  provider: Pick<
    Provider,
    'cacheControl' | 'anthropics' | 'ollamas' | 'efforts' | 'openAis' | 'toolImages' | 'requestFields'
  >
  /** Expected size of the prompt in the model's own tokens. */
  promptTokens: number
  /** Output tokens that are paid for; undefined where no budget limits them. */
  maxOutputTokens?: number | undefined
}

/**
 * The request adapted to this candidate, and the changes that matter to the caller. Pure: the given request stays unchanged
 * for the next candidate, and is returned as it is if nothing had to change.
 */
export function prepare(request: ChatRequest, target: Target): { request: ChatRequest; notes: string[] } {
  const { model, provider } = target
  const notes: string[] = []
  let prepared = withOllamaFields(withoutOurFields(request, model, notes), target, notes)
  if (provider.anthropics !== true) prepared = withoutBilling(prepared)
  if (provider.cacheControl !== true) prepared = withoutCacheControl(prepared, model, notes)
  if (provider.openAis !== true) prepared = withAllowedTools(withSystemFirst(prepared))
  if (provider.toolImages !== true) prepared = withImagesBehindResults(prepared)
  prepared =
    model.capabilities.reasoning === false
      ? withoutReasoning(prepared, model, notes)
      : withKnownEffort(prepared, target, notes)
  notes.push(...notesOnUnknownFields('chat', prepared, target))
  return { request: clamped(prepared, target, notes, provider.openAis === true), notes }
}

function withSystemFirst(request: ChatRequest): ChatRequest {
  const messages = withOneSystemMessage(request.messages)
  return messages === request.messages ? request : { ...request, messages: [...messages] }
}

/** `allowed_tools` keeps a prompt cache at OpenAI; elsewhere the tools that may not be called are left out. */
function withAllowedTools(request: ChatRequest): ChatRequest {
  const { tool_choice: choice, tools: _offered, ...rest } = request
  if (!isObject(choice) || choice.type !== 'allowed_tools') return request
  const tools = callableTools(request)
  return tools.length === 0 ? rest : { ...rest, tools, tool_choice: toolChoiceOf(choice).forced ? 'required' : 'auto' }
}

/** Parts of a Messages request without which it would be another one, and whether they are there. */
const anthropicOnly: Readonly<Record<string, (value: unknown) => boolean>> = {
  mcp_servers: value => Array.isArray(value) && value.length > 0,
  container: given,
}
/** What needs no note: the translation has found an equivalent, or the answer is the same without it. */
const translated = new Set(['tools', 'thinking', 'output_config'])

/**
 * Fields in which the translation from Messages keeps what chat completions cannot express; no server knows them. Throws
 * `unsupported` for what changes the request.
 */
function withoutOurFields(request: ChatRequest, model: Model, notes: string[]): ChatRequest {
  for (const [field, value] of Object.entries(asObject(request['anthropic']) ?? {})) {
    if (anthropicOnly[field]?.(value) === true) {
      throw new GatewayError('unsupported', `${model.id} has no ${field}: only Anthropic's own API does; omit it.`, {
        param: field,
      })
    }
    if (given(value) && !translated.has(field)) notes.push(omittedNote(field, model.id))
  }
  const ofTools = (request.tools ?? []).flatMap(tool => filledFields(asObject(tool['anthropic']) ?? {}))
  for (const field of new Set(ofTools)) if (field !== 'type') notes.push(omittedNote(`tools.${field}`, model.id))
  const found =
    request['anthropic'] !== undefined ||
    request.tools?.some(tool => tool['anthropic'] !== undefined) === true ||
    request.messages.some(message => message['is_error'] !== undefined || partsHave(message, 'anthropic'))
  return found ? without(request, ['anthropic', 'is_error']) : request
}

/**
 * The fields in which the translation from Ollama's protocol keeps what only an Ollama server knows. Elsewhere `think: true` is
 * a medium effort, and the rest is left out.
 */
function withOllamaFields(request: ChatRequest, { model, provider }: Target, notes: string[]): ChatRequest {
  const kept = asObject(request['ollama'])
  if (kept === undefined) return request
  const { ollama: _ollama, ...rest } = request
  const { think, options, keep_alive } = kept
  if (provider.ollamas === true) return { ...rest, ...compact({ think, options, keep_alive }) }
  const dropped = Object.keys(asObject(options) ?? {}).map(name => `options.${name}`)
  if (given(keep_alive)) dropped.push('keep_alive')
  for (const field of dropped) notes.push(omittedNote(field, model.id))
  return think === true ? { ...rest, reasoning_effort: 'medium' } : rest
}

function withoutCacheControl(request: ChatRequest, model: Model, notes: string[]): ChatRequest {
  const found =
    request['cache_control'] !== undefined ||
    request.tools?.some(tool => tool['cache_control'] !== undefined) === true ||
    request.messages.some(
      message =>
        callsHave(message, 'cache_control') ||
        message['cache_control'] !== undefined ||
        partsHave(message, 'cache_control'),
    )
  if (!found) return request
  notes.push(omittedNote('cache_control', model.id))
  return without(request, ['cache_control'])
}

/** A copy without these fields wherever they occur: on the request, a tool, a message, its parts and its tool calls. */
function without(request: ChatRequest, fields: readonly string[]): ChatRequest {
  return {
    ...omit(request, fields),
    messages: request.messages.map(message => ({
      ...omit(message, fields),
      ...(Array.isArray(message.content) ? { content: message.content.map(part => omit(part, fields)) } : {}),
      ...(Array.isArray(message.tool_calls) ? { tool_calls: message.tool_calls.map(call => omit(call, fields)) } : {}),
    })),
    ...(Array.isArray(request.tools) ? { tools: request.tools.map(tool => omit(tool, fields)) } : {}),
  }
}

function partsHave({ content }: ChatMessage, field: string): boolean {
  return Array.isArray(content) && content.some(part => part[field] !== undefined)
}

function callsHave({ tool_calls: calls }: ChatMessage, field: string): boolean {
  return Array.isArray(calls) && calls.some(call => call[field] !== undefined)
}

export const billingBlock = /^x-anthropic-billing-header:/

/**
 * Claude Code puts a block into its system prompt that differs in every request. A local server would process the whole
 * prompt each time, since nothing after the block is in its cache: measured, 50 s instead of 3.7 s per turn.
 */
function withoutBilling(request: ChatRequest): ChatRequest {
  const bills = (text: unknown) => typeof text === 'string' && billingBlock.test(text)
  const rotates = ({ role, content }: ChatMessage) =>
    role === 'system' && (Array.isArray(content) ? content.some(part => bills(part.text)) : bills(content))
  if (!request.messages.some(rotates)) return request
  return {
    ...request,
    messages: request.messages.flatMap(message => {
      if (!rotates(message)) return [message]
      const content = Array.isArray(message.content)
        ? message.content.filter(part => !bills(part.text))
        : String(message.content).replace(/^[^\n]*\n*/, '')
      return content.length === 0 ? [] : [{ ...message, content }]
    }),
  }
}

const reasoningFields = ['reasoning_effort', 'reasoning', 'thinking', 'think', 'include_reasoning', 'enable_thinking']
const messageReasoningFields = ['reasoning_content', 'reasoning', 'reasoning_details']

function withoutReasoning(request: ChatRequest, model: Model, notes: string[]): ChatRequest {
  const asked = reasoningFields.some(field => given(request[field]))
  const hasReasoning = request.messages.some(message => messageReasoningFields.some(field => given(message[field])))
  if (asked && request['reasoning_effort'] !== 'none')
    notes.push(`${model.id} does not reason; reasoning was turned off`)
  if (!asked && !hasReasoning) return request
  return {
    ...(asked ? omit(request, reasoningFields) : request),
    ...(hasReasoning ? { messages: request.messages.map(message => omit(message, messageReasoningFields)) } : {}),
  }
}

function withKnownEffort(request: ChatRequest, { model, provider }: Target, notes: string[]): ChatRequest {
  const asked = request['reasoning_effort']
  if (typeof asked !== 'string' || provider.efforts === undefined) return request
  const effort = nearestEffort(asked, provider.efforts)
  if (effort === undefined || effort === asked) return request
  notes.push(`reasoning_effort ${asked} became ${effort}, the nearest level ${model.id} supports`)
  return { ...request, reasoning_effort: effort }
}

interface Limited {
  max_tokens?: number | null | undefined
  max_completion_tokens?: number | null | undefined
}

/**
 * Some servers reject a limit beyond their own; agents request 32,000 tokens from a model whose limit is 4,000. What a budget pays
 * for is a limit even where the request has none; `newName`: the server wants the newer of the two names.
 */
export function clamped<T extends Limited>(
  request: T,
  { model, promptTokens, maxOutputTokens }: Target,
  notes: string[],
  newName = false,
): T {
  const room = model.contextTokens === undefined ? Infinity : Math.max(1, model.contextTokens - promptTokens)
  const limits = [
    { tokens: model.maxOutputTokens ?? Infinity, why: 'its output limit' },
    { tokens: room, why: 'the rest of its context' },
    { tokens: maxOutputTokens ?? Infinity, why: 'what is left of a budget' },
  ]
  const { tokens: most, why } = limits.reduce((least, limit) => (limit.tokens <= least.tokens ? limit : least))
  const asked = limitNames.filter(field => request[field] != null)
  if (asked.length === 0 && maxOutputTokens !== undefined) {
    return { ...request, [newName ? 'max_completion_tokens' : 'max_tokens']: most }
  }
  const lowered = Object.fromEntries(
    asked.flatMap(field => {
      if (request[field]! <= most) return []
      notes.push(`${field} lowered from ${request[field]} to ${most} for ${model.id}: ${why}`)
      return [[field, most]]
    }),
  )
  return Object.keys(lowered).length === 0 ? request : { ...request, ...lowered }
}

const limitNames = ['max_tokens', 'max_completion_tokens'] as const

function given(value: unknown): boolean {
  return value !== undefined && value !== null
}

function omit<T extends Record<string, unknown>>(value: T, fields: readonly string[]): T {
  return Object.fromEntries(Object.entries(value).filter(([field]) => !fields.includes(field))) as T
}
