import { GatewayError } from '../../errors.ts'
import { asObject, asString } from '../../json.ts'
import type { ChatMessage, ChatRequest, ToolCallDelta } from '../../wire/chat/schema.ts'
import { callableTools, toolChoiceOf } from '../../wire/chat/tool-choice.ts'
import { newToolCallId } from '../openai/repair-tool-calls.ts'

/**
 * A tool call that the caller insists on. Ollama has no such option, but it can hold an answer to a JSON schema: the
 * arguments of the only function, or the name and the arguments of one of several. The answer is then read as a call.
 */
export interface ForcedCall {
  /** The JSON schema for `format`. */
  format: Record<string, unknown>
  /** What the model is told, as it sees no tools in such a request. */
  instruction: string
  createReader(): ForcedCallReader
}

/** Reads the text of a held answer as it arrives. Throws `upstream_error` where the server did not hold it. */
export interface ForcedCallReader {
  push(text: string): ToolCallDelta[]
  end(): ToolCallDelta[]
}

interface OfferedFunction {
  name: string
  description: string | undefined
  parameters: Record<string, unknown>
}

/** Undefined where the request forces no call. */
export function forcedCallOf(request: ChatRequest): ForcedCall | undefined {
  if (!toolChoiceOf(request.tool_choice).forced) return undefined
  const functions = callableTools(request).flatMap(functionOf)
  const [only, ...others] = functions
  if (only === undefined) return undefined
  if (others.length === 0) {
    return {
      format: only.parameters,
      instruction: `Call the function ${only.name} now. Answer only with its arguments, as JSON.\n${described(only)}`,
      createReader: () => readArguments(only.name),
    }
  }
  return {
    format: { anyOf: functions.map(alternative) },
    instruction: `Call one of these functions now. Answer only with JSON: {"name": …, "arguments": …}.\n${functions.map(described).join('\n')}`,
    createReader: readNamedCall,
  }
}

/** The conversation with the instruction at its end, where it leaves the cached beginning as it is. */
export function instructed(messages: readonly ChatMessage[], { instruction }: ForcedCall): ChatMessage[] {
  return [...messages, { role: 'user', content: instruction }]
}

function functionOf(tool: Record<string, unknown>): OfferedFunction[] {
  const described = asObject(tool['function'])
  const name = asString(described?.['name'])
  if (described === undefined || name === undefined) return []
  const parameters = asObject(described['parameters']) ?? { type: 'object', properties: {} }
  return [{ name, description: asString(described['description']), parameters }]
}

function described({ name, description, parameters }: OfferedFunction): string {
  return JSON.stringify({ name, description, parameters })
}

function alternative({ name, parameters }: OfferedFunction): Record<string, unknown> {
  return {
    type: 'object',
    properties: { name: { type: 'string', enum: [name] }, arguments: parameters },
    required: ['name', 'arguments'],
  }
}

function readArguments(name: string): ForcedCallReader {
  let begun = false
  return {
    push(text) {
      if (begun) return [{ index: 0, function: { arguments: text } }]
      const json = text.trimStart()
      if (json === '') return []
      if (!json.startsWith('{')) throw notHeld()
      begun = true
      return [opening(name, json)]
    },
    end() {
      if (!begun) throw notHeld()
      return []
    },
  }
}

/** The schema's own order: the name comes first. */
const head = /^\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\{)/
/** No name and the little around it are longer. */
const maxHeadCharacters = 1024

function readNamedCall(): ForcedCallReader {
  let start = ''
  let begun = false
  /** From the last closing brace on: it may be the one that closes the whole answer, and is not part of the arguments. */
  let held = ''
  const withoutLastBrace = (text: string): string => {
    const all = held + text
    const brace = all.lastIndexOf('}')
    held = brace < 0 ? '' : all.slice(brace)
    return brace < 0 ? all : all.slice(0, brace)
  }
  return {
    push(text) {
      if (begun) {
        const json = withoutLastBrace(text)
        return json === '' ? [] : [{ index: 0, function: { arguments: json } }]
      }
      start += text
      const found = head.exec(start)
      if (found === null) {
        if (start.length > maxHeadCharacters) throw notHeld()
        return []
      }
      begun = true
      return [opening(String(JSON.parse(found[1]!)), withoutLastBrace(start.slice(found[0].length)))]
    },
    end() {
      if (!begun) throw notHeld()
      return []
    },
  }
}

function opening(name: string, json: string): ToolCallDelta {
  return { index: 0, id: newToolCallId(), type: 'function', function: { name, arguments: json } }
}

function notHeld(): GatewayError {
  return new GatewayError(
    'upstream_error',
    'Ollama did not answer with the forced tool call; use a model that it runs itself, or omit tool_choice.',
  )
}
