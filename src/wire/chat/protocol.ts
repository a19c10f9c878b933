import { writeOpenAiError } from './error.ts'
import { ChatRequest } from './schema.ts'
import { commentFrame, type ParsedRequest, type Protocol, type StreamWriter } from '../protocol.ts'
import { asObject, asObjects, compact, type JsonObject } from '../../json.ts'
import { readBody } from '../read-body.ts'
import { chatFromResponses } from '../responses/request.ts'
import { withoutUsage } from '../stream-part.ts'

/** OpenAI's chat completions: also the internal form. */
export const chat: Protocol = {
  name: 'chat',
  path: '/chat/completions',
  parseRequest(body) {
    const { request, notes } = readChat(body)
    return {
      request,
      notes,
      createStreamWriter: () => createChatWriter(request.stream_options?.include_usage === true),
      writeCompletion: completion => completion,
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

/** Passes bytes through unchanged, for chats and text completions; only usage the caller did not request is removed. */
export function createChatWriter(wantsUsage: boolean): StreamWriter {
  return {
    push: part => (wantsUsage ? part : withoutUsage(part))?.bytes ?? nothing,
    end: () => Buffer.from('data: [DONE]\n\n'),
    // No [DONE] here: a client that ignores the error must not treat a partial answer as complete.
    fail: error => Buffer.from(`data: ${JSON.stringify(writeOpenAiError(error).body)}\n\n`),
    keepAlive: () => Buffer.from(commentFrame),
  }
}

const nothing = Buffer.alloc(0)
