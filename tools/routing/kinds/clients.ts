import clients from './clients.json' with { type: 'json' }
import { ChatRequest, type ChatMessage } from '../../../src/wire/chat/schema.ts'

/** The programs that send the labelled requests: what they say to every model and the tools they offer. */
export type Client = keyof typeof clients

export const clientNames = Object.keys(clients) as [Client, ...Client[]]

/** A turn of a conversation, in short: words of the user, of the assistant, a call the assistant made, or its result. */
export type Turn =
  | { user: string; image?: boolean | undefined }
  | { assistant: string }
  | { call: string; with?: Record<string, unknown> | undefined }
  | { result: string }

export interface ShortRequest {
  client: Client
  turns: readonly Turn[]
  /** Instead of the client's own system prompt. */
  system?: string | undefined
  /** Instead of the tools that the client offers. */
  tools?: readonly string[] | undefined
  /** The answer must be JSON that fits a schema. */
  json?: boolean | undefined
  model?: string | undefined
}

/** The chat completion request that a client sends for these turns. */
export function requestOf({ client, turns, system, tools, json, model = 'auto' }: ShortRequest): ChatRequest {
  const { system: own, tools: offered } = clients[client]
  const opening = system ?? own
  const names = tools ?? offered
  return ChatRequest.parse({
    model,
    messages: [...(opening === '' ? [] : [{ role: 'system', content: opening }]), ...turns.map(messageOf)],
    ...(names.length === 0 ? {} : { tools: names.map(toolOf) }),
    ...(json === true ? { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: {} } } } : {}),
  })
}

function messageOf(turn: Turn, at: number): ChatMessage {
  if ('assistant' in turn) return { role: 'assistant', content: turn.assistant }
  if ('result' in turn) return { role: 'tool', tool_call_id: `call_${at - 1}`, content: turn.result }
  if ('call' in turn) {
    const call = { name: turn.call, arguments: JSON.stringify(turn.with ?? {}) }
    return { role: 'assistant', content: null, tool_calls: [{ id: `call_${at}`, type: 'function', function: call }] }
  }
  if (turn.image !== true) return { role: 'user', content: turn.user }
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  return { role: 'user', content: [{ type: 'text', text: turn.user }, image] }
}

function toolOf(name: string) {
  return {
    type: 'function',
    function: {
      name,
      description: `${name}: see the instructions for when to use it. Give every argument; paths are absolute.`,
      parameters: {
        type: 'object',
        properties: { input: { type: 'string', description: `What ${name} works on.` } },
        required: ['input'],
      },
    },
  }
}
