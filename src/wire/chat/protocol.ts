import { chatAnswer, createChatWriter } from './answer.ts'
import { writeOpenAiError } from './error.ts'
import { ChatRequest } from './schema.ts'
import type { ParsedRequest, Protocol } from '../protocol.ts'
import { asObject, asObjects, compact, type JsonObject } from '../../json.ts'
import { readBody } from '../read-body.ts'
import { chatFromResponses } from '../responses/request.ts'

/** OpenAI's chat completions: also the internal form. */
export const chat: Protocol = {
  name: 'chat',
  path: '/chat/completions',
  parseRequest(body) {
    const { request, notes } = readChat(body)
    const asked = {
      usage: request.stream_options?.include_usage === true,
      cost: asObject(request['usage'])?.['include'] === true,
    }
    return {
      request,
      notes,
      createStreamWriter: reply => createChatWriter(reply, asked, 'chat.completion.chunk'),
      writeCompletion: (completion, reply) => chatAnswer(completion, reply, asked),
    }
  },
  writeError: writeOpenAiError,
}

/** Some editors send a Responses-shaped body (`input`, flat tools) to this endpoint and expect chat chunks back. */
function readChat(body: unknown): Pick<ParsedRequest, 'request' | 'notes'> {
  const fields = asObject(body)
  if (fields?.['messages'] === undefined && fields?.['input'] !== undefined) {
    const { request, notes } = chatFromResponses(body)
    return { request: compact({ ...request, stream_options: asObject(fields['stream_options']) }), notes }
  }
  const request = readBody(ChatRequest, body)
  const flat = asObjects(request.tools).some(isFlat)
  return { request: flat ? { ...request, tools: request.tools!.map(nested) } : request, notes: [] }
}

function isFlat(tool: JsonObject): boolean {
  return tool['type'] === 'function' && tool['function'] === undefined && typeof tool['name'] === 'string'
}

function nested(tool: JsonObject): JsonObject & { type?: string | undefined } {
  if (!isFlat(tool)) return tool
  const { type: _, ...described } = tool
  return { type: 'function', function: described }
}
