import { clientToolOf, type ClientTool } from './client-tools.ts'
import type { ChatTool } from '../chat/schema.ts'
import { asObject, asObjects, asString, compact, parseObject, type JsonObject } from '../../json.ts'

/** The tools of a Responses request as chat functions, and the mapping from a function's name back to its tool. */
export interface ToolBridge {
  /** Adds tools; existing ones are kept. */
  add(tools: readonly JsonObject[]): void
  functions(): readonly ChatTool[]
  notes(): readonly string[]
  /** The function that represents a tool. */
  nameOf(name: string, namespace: string | undefined): string
  /** Converts a function call to the output item that the caller expects. */
  callItem(call: FinishedCall): JsonObject
  /** The same item before its arguments are known. */
  openItem(call: Omit<FinishedCall, 'arguments'>): JsonObject
  /** Whether this function's arguments are streamed, or sent only once complete. */
  streams(functionName: string): boolean
}

export interface FinishedCall {
  itemId: string
  callId: string
  functionName: string
  arguments: string
}

interface Known {
  kind: 'function' | 'custom' | 'tool_search' | 'client'
  /** Where the kind is `client`. */
  client?: ClientTool
  name: string
  namespace: string | undefined
  tool: ChatTool
}

/** Maximum length and allowed characters of function names. */
const longestName = 64
const otherCharacters = /[^a-zA-Z0-9_-]/g
const searchName = 'tool_search'

/**
 * Chat completions support functions only. A freeform (`custom`) tool becomes a function with one text argument; the
 * functions of a `namespace` are flattened to `namespace__name`; a client-run tool search, a shell, patches and the screen
 * become functions too. Tools that only OpenAI's servers can run are left out with a note.
 */
export function createToolBridge(): ToolBridge {
  const known = new Map<string, Known>()
  const flat = new Map<string, string>()
  const notes: string[] = []

  const learn = (kind: Known['kind'], described: JsonObject, namespace: string | undefined) => {
    const name = asString(described['name']) ?? searchName
    const key = keyOf(name, namespace)
    if (flat.has(key)) return
    const functionName = freeName(flatName(name, namespace), known)
    const tool = kind === 'custom' ? freeformFunction(described, functionName) : plainFunction(described, functionName)
    flat.set(key, functionName)
    known.set(functionName, { kind, name, namespace, tool })
  }

  const learnClient = (client: ClientTool, described: JsonObject) => {
    const key = keyOf(client.type, undefined)
    if (flat.has(key)) return
    const functionName = freeName(client.type, known)
    const tool = { type: 'function', function: { name: functionName, ...client.describe(described) } }
    flat.set(key, functionName)
    known.set(functionName, { kind: 'client', name: client.type, namespace: undefined, tool, client })
  }

  const add = (tools: readonly JsonObject[], namespace?: string) => {
    for (const tool of tools) {
      const { type, name } = tool
      const client = clientToolOf(tool)
      if (type === 'namespace') add(asObjects(tool['tools']), asString(name))
      else if ((type === 'function' || type === 'custom') && typeof name === 'string') learn(type, tool, namespace)
      else if (client !== undefined) learnClient(client, tool)
      else if (type === searchName && tool['execution'] === 'client') learn(searchName, tool, undefined)
      else notes.push(`tool ${String(type)} is run by OpenAI's servers and was omitted`)
    }
  }

  const itemOf = (call: FinishedCall, status: string): JsonObject => {
    const { itemId: id, callId: call_id, functionName } = call
    const tool = known.get(functionName)
    const name = tool?.name ?? functionName
    const namespace = tool?.namespace
    if (tool?.kind === 'custom') {
      return compact({
        type: 'custom_tool_call',
        id,
        call_id,
        name,
        namespace,
        input: freeformInput(call.arguments),
        status,
      })
    }
    if (tool?.client !== undefined) {
      const fields = tool.client.callFields(parseObject(call.arguments) ?? {})
      return { type: tool.client.callType, id, call_id, ...fields, status }
    }
    if (tool?.kind === searchName) {
      const given = parseObject(call.arguments) ?? {}
      return { type: 'tool_search_call', id, call_id, execution: 'client', arguments: given, status }
    }
    return compact({ type: 'function_call', id, call_id, name, namespace, arguments: call.arguments, status })
  }

  return {
    add,
    functions: () => [...known.values()].map(({ tool }) => tool),
    notes: () => notes,
    nameOf: (name, namespace) => flat.get(keyOf(name, namespace)) ?? flatName(name, namespace),
    callItem: call => itemOf(call, 'completed'),
    openItem: call => itemOf({ ...call, arguments: '' }, 'in_progress'),
    streams: functionName => (known.get(functionName)?.kind ?? 'function') === 'function',
  }
}

/** The text of a freeform call as the arguments of its function. */
export function freeformArguments(input: string): string {
  return JSON.stringify({ input })
}

/** The model's input for a freeform tool: its one text argument under any name, else the raw arguments. */
function freeformInput(text: string): string {
  const given = parseObject(text)
  if (given === undefined) return text
  const texts = Object.values(given).filter(value => typeof value === 'string')
  return asString(given['input']) ?? (texts.length === 1 ? texts[0]! : text)
}

function plainFunction(tool: JsonObject, functionName: string): ChatTool {
  const { description, parameters, strict } = tool
  return { type: 'function', function: compact({ name: functionName, description, parameters, strict }) }
}

function freeformFunction(tool: JsonObject, functionName: string): ChatTool {
  const format = asObject(tool['format'])
  const grammar = asString(format?.['definition'])
  const description = [
    asString(tool['description']) ?? '',
    'Put the whole text into the argument `input`, exactly as the tool takes it.',
    ...(grammar === undefined
      ? []
      : [`It must follow this ${asString(format?.['syntax']) ?? ''} grammar:\n${grammar}`]),
  ]
  return {
    type: 'function',
    function: {
      name: functionName,
      description: description.filter(line => line !== '').join('\n\n'),
      parameters: {
        type: 'object',
        properties: { input: { type: 'string' } },
        required: ['input'],
        additionalProperties: false,
      },
    },
  }
}

function keyOf(name: string, namespace: string | undefined): string {
  return JSON.stringify([namespace ?? null, name])
}

function flatName(name: string, namespace: string | undefined): string {
  const whole = (namespace === undefined ? name : `${namespace}__${name}`).replaceAll(otherCharacters, '_')
  return whole.slice(-longestName)
}

/** Two tools may get the same flat name after shortening; the later one gets a number. */
function freeName(wanted: string, taken: ReadonlyMap<string, unknown>): string {
  if (!taken.has(wanted)) return wanted
  for (let number = 2; ; number += 1) {
    const suffix = `_${number}`
    const name = wanted.slice(0, longestName - suffix.length) + suffix
    if (!taken.has(name)) return name
  }
}
