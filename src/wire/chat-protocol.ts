import { writeOpenAiError } from './openai-error.ts'
import { ChatRequest, writeUsage } from './openai.ts'
import { commentFrame, type ParsedRequest, type Protocol, type ReplyFacts, type StreamWriter } from './protocol.ts'
import { asObject, asObjects, compact, readBody, type JsonObject } from './read-body.ts'
import { chatFromResponses } from './responses-request.ts'

/** OpenAI's chat completions: the internal form itself. */
export const chat: Protocol = {
  name: 'chat',
  path: '/chat/completions',
  parseRequest(body) {
    const { request, notes } = readChat(body)
    return {
      request,
      notes,
      createStreamWriter: reply => createChatWriter(reply, request.stream_options?.include_usage === true),
      writeCompletion: completion => completion,
    }
  },
  writeError: writeOpenAiError,
}

/** Some editors send a body shaped like Responses (`input`, flat tools) here and expect chat chunks back. */
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

/** Bytes pass as they came; only a usage that nobody asked for is kept back. */
function createChatWriter(reply: ReplyFacts, wantsUsage: boolean): StreamWriter {
  let sawUsage = false
  return {
    push(part) {
      if (!part.bytes.includes('"usage"')) return part.bytes
      const withUsage = part.chunks.filter(chunk => asObject(chunk.usage) !== undefined)
      if (withUsage.length > 0) sawUsage = true
      if (wantsUsage || withUsage.length === 0) return part.bytes
      const wanted = part.chunks.filter(chunk => !withUsage.includes(chunk) || (chunk.choices?.length ?? 0) > 0)
      return Buffer.from(wanted.map(chunk => frame({ ...chunk, usage: undefined })).join(''))
    },
    end(counted) {
      const missing = wantsUsage && !sawUsage ? counted : undefined
      const usage =
        missing === undefined ? '' : frame({ ...chunkFacts(reply), choices: [], usage: writeUsage(missing) })
      return Buffer.from(`${usage}data: [DONE]\n\n`)
    },
    fail: error => Buffer.from(`${frame(writeOpenAiError(error).body)}data: [DONE]\n\n`),
    keepAlive: () => Buffer.from(commentFrame),
  }
}

function chunkFacts(reply: ReplyFacts): JsonObject {
  return {
    id: `chatcmpl-${reply.id}`,
    object: 'chat.completion.chunk',
    created: reply.createdSeconds,
    model: reply.model,
  }
}

function frame(payload: object): string {
  return `data: ${JSON.stringify(payload)}\n\n`
}
