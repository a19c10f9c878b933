import type { ChatMessage } from '../chat/schema.ts'
import { asObject, asObjects, asString, compact, type JsonObject } from '../../json.ts'
import { calledTool } from './client-tools.ts'
import { messageOfCompaction, triggerType } from './compaction.ts'
import { wrongField } from '../read-body.ts'
import { responsesFormat, unseal, type ReasoningDetail } from '../chat/reasoning-details.ts'
import type { ResponsesItem } from './schema.ts'
import { freeformArguments, type ToolBridge } from './tools.ts'

/** Collects the items of a Responses conversation into chat messages. */
export interface Transcript {
  /** `path` is the position of the item, for errors. */
  add(item: ResponsesItem, path: string): void
  messages(): ChatMessage[]
}

/** The assistant's output in one turn: several items in Responses, one message in chat. */
interface Turn {
  content: JsonObject[]
  text: string
  reasoningTexts: string[]
  details: ReasoningDetail[]
  calls: JsonObject[]
  phase: unknown
}

/** `notes` gets one entry per item that chat cannot represent. Tools found by a search are added to `bridge`. */
export function createTranscript(bridge: ToolBridge, notes: string[]): Transcript {
  const messages: ChatMessage[] = []
  /** Index after the results of the message that made a call; results must directly follow their calls. */
  const homeOf = new Map<string, ChatMessage>()
  let turn: Turn | undefined

  const current = () =>
    (turn ??= { content: [], text: '', reasoningTexts: [], details: [], calls: [], phase: undefined })
  const finish = () => {
    if (turn === undefined) return
    const message = turnMessage(turn)
    for (const call of turn.calls) homeOf.set(String(call['id']), message)
    messages.push(message)
    turn = undefined
  }

  const addCall = (callId: unknown, functionName: string, text: string, path: string) => {
    if (typeof callId !== 'string') throw wrongField(`${path}.call_id`, 'a string')
    current().calls.push({ id: callId, type: 'function', function: { name: functionName, arguments: text } })
  }
  const addResult = (callId: unknown, content: ChatMessage['content'], path: string) => {
    if (typeof callId !== 'string') throw wrongField(`${path}.call_id`, 'a string')
    finish()
    const result = { role: 'tool', tool_call_id: callId, content }
    const home = homeOf.get(callId)
    let place = home === undefined ? messages.length : messages.lastIndexOf(home) + 1
    while (messages[place]?.role === 'tool') place += 1
    messages.splice(place, 0, result)
  }

  const omit = (item: ResponsesItem, path: string) => {
    notes.push(`${path}: an item of type ${String(item.type)} has no equivalent in chat completions and was omitted`)
  }

  const add = (item: ResponsesItem, path: string): void => {
    const functionName = () => bridge.nameOf(nameOf(item, path), asString(item['namespace']))
    switch (item.type ?? 'message') {
      case 'message':
        if (item['role'] === 'assistant') addMessage(current, finish, item, path)
        else {
          finish()
          messages.push(plainMessage(item, path))
        }
        return
      case 'reasoning':
        if (turn !== undefined && (turn.text !== '' || turn.content.length > 0 || turn.calls.length > 0)) finish()
        addReasoning(current(), item)
        return
      case 'function_call':
        addCall(item['call_id'], functionName(), asString(item['arguments']) ?? '', path)
        return
      case 'custom_tool_call':
        addCall(item['call_id'], functionName(), freeformArguments(asString(item['input']) ?? ''), path)
        return
      case 'tool_search_call':
        addCall(item['call_id'], bridge.nameOf('tool_search', undefined), JSON.stringify(item['arguments'] ?? {}), path)
        return
      case 'function_call_output':
      case 'custom_tool_call_output':
        addResult(item['call_id'], outputContent(item['output'], path), path)
        return
      case 'tool_search_output':
        bridge.add(asObjects(item['tools']))
        addResult(item['call_id'], `Found: ${toolNames(item['tools'], bridge).join(', ') || 'nothing'}`, path)
        return
      case 'compaction':
      case 'compaction_summary': {
        const summary = messageOfCompaction(item)
        if (summary === undefined) return omit(item, path)
        finish()
        messages.push(summary)
        return
      }
      case triggerType:
        return
      case 'additional_tools':
        bridge.add(asObjects(item['tools']))
        return
      default: {
        const called = calledTool(String(item.type))
        // Some programs repeat the id of the call under `id` only.
        const callId = item['call_id'] ?? item['id']
        if (called?.isResult === true) return addResult(callId, called.tool.resultOf(item), path)
        if (called !== undefined) {
          const written = JSON.stringify(called.tool.argumentsOf(item))
          return addCall(callId, bridge.nameOf(called.tool.type, undefined), written, path)
        }
        omit(item, path)
      }
    }
  }

  return {
    add,
    messages() {
      finish()
      return messages
    },
  }
}

function addMessage(current: () => Turn, finish: () => void, item: ResponsesItem, path: string): void {
  const texts = partsOf(item['content'], `${path}.content`)
  const before = current()
  // Two messages in a row are two turns, unless a call comes between them: nothing may come between a call and its
  // result.
  if (before.calls.length === 0 && (before.text !== '' || before.content.length > 0)) finish()
  const turn = current()
  turn.phase ??= item['phase']
  if (typeof texts === 'string') turn.text += texts
  else if (texts.every(part => part['type'] === 'text')) turn.text += texts.map(part => asString(part['text'])).join('')
  else turn.content.push(...texts)
}

function addReasoning(turn: Turn, item: ResponsesItem): void {
  const id = asString(item['id'])
  const words = [...asObjects(item['summary']), ...asObjects(item['content'])]
    .map(part => asString(part['text']) ?? '')
    .filter(text => text !== '')
  turn.reasoningTexts.push(...words)
  const secret = asString(item['encrypted_content'])
  if (secret === undefined || secret === '') return
  const sealed = unseal(secret)
  if (sealed !== undefined) {
    turn.details.push(...sealed)
    return
  }
  const from = { format: responsesFormat, ...(id === undefined ? {} : { id }) }
  for (const summary of words) {
    turn.details.push({ type: 'reasoning.summary', summary, ...from, index: turn.details.length })
  }
  turn.details.push({ type: 'reasoning.encrypted', data: secret, ...from, index: turn.details.length })
}

function turnMessage(turn: Turn): ChatMessage {
  const content = turn.text === '' ? turn.content : [{ type: 'text', text: turn.text }, ...turn.content]
  return compact({
    role: 'assistant',
    content: turn.content.length === 0 ? turn.text : content,
    reasoning_content: turn.reasoningTexts.length === 0 ? undefined : turn.reasoningTexts.join('\n\n'),
    reasoning_details: turn.details.length === 0 ? undefined : turn.details,
    tool_calls: turn.calls.length === 0 ? undefined : turn.calls,
    phase: turn.phase,
  })
}

function plainMessage(item: ResponsesItem, path: string): ChatMessage {
  const role = item['role']
  if (role !== 'user' && role !== 'system' && role !== 'developer') {
    throw wrongField(`${path}.role`, 'user, assistant, system or developer')
  }
  return { role, content: partsOf(item['content'], `${path}.content`) }
}

function outputContent(output: unknown, path: string): ChatMessage['content'] {
  if (output === undefined || output === null) return ''
  return Array.isArray(output) || typeof output === 'string'
    ? partsOf(output, `${path}.output`)
    : JSON.stringify(output)
}

function partsOf(content: unknown, path: string): string | JsonObject[] {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw wrongField(path, 'a string or a list of parts')
  return content.map((item, index) => {
    const part = asObject(item)
    if (part === undefined) throw wrongField(`${path}.${index}`, 'an object')
    return chatPart(part, `${path}.${index}`)
  })
}

function chatPart(part: JsonObject, path: string): JsonObject {
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
      if (typeof part['text'] !== 'string') throw wrongField(`${path}.text`, 'a string')
      return { type: 'text', text: part['text'] }
    case 'refusal':
      return { type: 'refusal', refusal: asString(part['refusal']) ?? '' }
    case 'input_image': {
      const { image_url: url, file_id, detail } = part
      if (typeof url === 'string') return { type: 'image_url', image_url: compact({ url, detail }) }
      return {
        type: 'text',
        text: `[image ${asString(file_id) ?? ''} that only the server it was uploaded to can read]`,
      }
    }
    case 'input_file': {
      const { filename, file_data, file_url, file_id } = part
      return { type: 'file', file: compact({ filename, file_data: file_data ?? file_url, file_id }) }
    }
    default:
      return part
  }
}

function nameOf(item: ResponsesItem, path: string): string {
  const name = item['name']
  if (typeof name !== 'string') throw wrongField(`${path}.name`, 'a string')
  return name
}

function toolNames(tools: unknown, bridge: ToolBridge): string[] {
  return asObjects(tools).flatMap(tool => {
    const name = asString(tool['name']) ?? String(tool['type'])
    if (tool['type'] !== 'namespace') return [bridge.nameOf(name, undefined)]
    return asObjects(tool['tools']).map(inner => bridge.nameOf(asString(inner['name']) ?? '', name))
  })
}
