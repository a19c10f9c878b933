import { asObject, asString, compact, type JsonObject } from '../../json.ts'
import { createMadeCallIds, type MadeCallIds } from '../chat/made-call-ids.ts'
import { unseal, type ReasoningDetail } from '../chat/reasoning-details.ts'
import { effortFromBudget } from '../chat/reasoning-effort.ts'
import type { ChatMessage, ChatRequest } from '../chat/schema.ts'
import { GatewayError } from '../../errors.ts'
import { filledFields, omittedNote } from '../notes.ts'
import { readBody, wrongField } from '../read-body.ts'
import { GeminiRequest, GeminiTarget } from './schema.ts'
import type { GeminiContent, GeminiPart, GenerationConfig } from './schema.ts'
import { inCamelCase, jsonSchemaOf } from './schemas.ts'

/** A Gemini request in the internal form, and what its answer depends on. */
export interface FromGemini {
  request: ChatRequest
  notes: string[]
  /** A stream is sent as server-sent events, else as one JSON array. */
  events: boolean
  /** Gemini's clients get the model's reasoning only if they ask for it. */
  includeThoughts: boolean
}

/** Converts a request to chat completions. Throws `invalid_request`, and `unsupported` for what only Google keeps. */
export function chatFromGemini(body: unknown): FromGemini {
  const { model, stream, events } = readBody(GeminiTarget, body)
  const asked = readBody(GeminiRequest, inCamelCase(body))
  const { contents, systemInstruction, tools, toolConfig, generationConfig, ...others } = asked
  if (others['cachedContent']) throw cacheUnsupported()
  const system = (systemInstruction?.parts ?? []).flatMap(({ text }) => (text ? [text] : [])).join('\n\n')
  const functions = (tools ?? []).flatMap(tool => tool.functionDeclarations ?? [])
  const config = configFields(generationConfig ?? {})

  const request = compact({
    model,
    stream,
    stream_options: stream ? { include_usage: true } : undefined,
    messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...chatMessages(contents)],
    tools:
      functions.length === 0
        ? undefined
        : functions.map(({ name, description, parameters, parametersJsonSchema }) => ({
            type: 'function',
            function: compact({
              name,
              description,
              parameters: parametersJsonSchema ?? (parameters ? jsonSchemaOf(parameters) : undefined),
            }),
          })),
    ...(functions.length === 0 ? {} : toolChoice(toolConfig?.functionCallingConfig ?? undefined)),
    ...config.fields,
  })
  const serverTools = (tools ?? []).flatMap(tool => Object.keys(tool)).filter(name => name !== 'functionDeclarations')
  return {
    request,
    events,
    includeThoughts: generationConfig?.thinkingConfig?.includeThoughts === true,
    notes: [
      ...serverTools.map(name => `tool ${name} is run by Google's servers and was omitted`),
      ...config.dropped.map(name => omittedNote(`generationConfig.${name}`)),
      ...filledFields(others)
        .filter(name => !fromUrl.has(name))
        .map(name => omittedNote(name)),
    ],
  }
}

const fromUrl: ReadonlySet<string> = new Set(['model', 'stream', 'events'])

function cacheUnsupported(): GatewayError {
  return new GatewayError('unsupported', 'Only Google keeps cachedContent; send the whole conversation in contents.', {
    param: 'cachedContent',
  })
}

function configFields(config: GenerationConfig): { fields: JsonObject; dropped: string[] } {
  const { maxOutputTokens, temperature, topP, topK, stopSequences, candidateCount, thinkingConfig, ...rest } = config
  const { responseMimeType, responseSchema, responseJsonSchema, seed, ...more } = rest
  const { presencePenalty, frequencyPenalty, responseLogprobs, logprobs, ...others } = more
  return {
    fields: {
      max_tokens: maxOutputTokens,
      temperature,
      top_p: topP,
      top_k: topK,
      stop: stopSequences?.length ? stopSequences : undefined,
      n: candidateCount,
      seed,
      presence_penalty: presencePenalty,
      frequency_penalty: frequencyPenalty,
      logprobs: responseLogprobs,
      top_logprobs: logprobs,
      reasoning_effort: effortOf(thinkingConfig ?? {}),
      response_format: responseFormat({ responseMimeType, responseSchema, responseJsonSchema }),
    },
    dropped: filledFields(others),
  }
}

/** A budget of -1 leaves it to the model. */
function effortOf({ thinkingBudget, thinkingLevel }: NonNullable<GenerationConfig['thinkingConfig']>) {
  if (thinkingBudget === 0) return 'none'
  return thinkingLevel?.toLowerCase() ?? effortFromBudget(thinkingBudget)
}

type Format = Pick<GenerationConfig, 'responseMimeType' | 'responseSchema' | 'responseJsonSchema'>

function responseFormat({ responseMimeType, responseSchema, responseJsonSchema }: Format): JsonObject | undefined {
  const schema = responseJsonSchema ?? (responseSchema ? jsonSchemaOf(responseSchema) : undefined)
  if (schema !== undefined) return { type: 'json_schema', json_schema: { name: 'response', schema } }
  return responseMimeType === 'application/json' ? { type: 'json_object' } : undefined
}

function toolChoice(config: { mode?: unknown; allowedFunctionNames?: string[] | null | undefined } = {}): JsonObject {
  const mode = asString(config.mode)?.toUpperCase() ?? 'AUTO'
  if (mode === 'NONE') return { tool_choice: 'none' }
  const forced = mode === 'ANY'
  const named = (config.allowedFunctionNames ?? []).map(name => ({ type: 'function', function: { name } }))
  if (named.length === 0) return { tool_choice: forced ? 'required' : 'auto' }
  if (forced && named.length === 1) return { tool_choice: named[0] }
  const allowed = { mode: forced ? 'required' : 'auto', tools: named }
  return { tool_choice: { type: 'allowed_tools', allowed_tools: allowed } }
}

function chatMessages(contents: readonly GeminiContent[]): ChatMessage[] {
  const ids = createMadeCallIds()
  return contents.flatMap(({ role, parts }, index) => {
    ids.follow(role ?? 'user', parts.map(({ text }) => text ?? '').join('\n'))
    return role === 'model' ? [modelMessage(parts, ids)] : userMessages(parts, { ids, path: `contents.${index}.parts` })
  })
}

function modelMessage(parts: readonly GeminiPart[], ids: MadeCallIds): ChatMessage {
  const calls = parts.flatMap(({ functionCall }) => (functionCall ? [functionCall] : []))
  const made = ids.ofCalls(calls)
  const texts = (thought: boolean) =>
    parts.flatMap(part => (part.text && (part.thought === true) === thought ? [part.text] : [])).join('')
  const details = parts.flatMap(({ thoughtSignature }) => unsigned(thoughtSignature))
  return compact({
    role: 'assistant',
    content: texts(false),
    reasoning_content: texts(true) || undefined,
    reasoning_details: details.length === 0 ? undefined : details,
    tool_calls:
      calls.length === 0
        ? undefined
        : calls.map(({ name, args }, index) => ({
            id: made[index],
            type: 'function',
            function: { name, arguments: JSON.stringify(args ?? {}) },
          })),
  })
}

/** Reasoning of other vendors that `signatureOf` sealed; a signature of Google's own means nothing to another server. */
function unsigned(signature: string | null | undefined): ReasoningDetail[] {
  return (signature && unseal(Buffer.from(signature, 'base64').toString('utf8'))) || []
}

interface Place {
  ids: MadeCallIds
  /** Where the parts stand, for errors. */
  path: string
}

function userMessages(parts: readonly GeminiPart[], { ids, path }: Place): ChatMessage[] {
  const results = parts.flatMap(({ functionResponse }) => {
    if (!functionResponse) return []
    const { id, name, response, parts: media } = functionResponse
    const text = resultText(response ?? {})
    const blobs = (media ?? []).flatMap(({ inlineData }) => (inlineData ? [dataPart(inlineData)] : []))
    const content = blobs.length === 0 ? text : [{ type: 'text', text }, ...blobs]
    return [{ role: 'tool', tool_call_id: ids.ofResult({ id, name }), content }]
  })
  const content = parts.flatMap((part, index) => (part.functionResponse ? [] : contentPart(part, `${path}.${index}`)))
  const [only] = content
  const text = content.length === 1 ? asString(only?.['text']) : undefined
  return [...results, ...(content.length === 0 ? [] : [{ role: 'user', content: text ?? content }])]
}

/** A result is an object; the usual ones hold a text in one field. */
function resultText(response: JsonObject): string {
  const [only, ...others] = Object.entries(response)
  const isUsual = others.length === 0 && (only?.[0] === 'output' || only?.[0] === 'result')
  return (isUsual ? asString(only[1]) : undefined) ?? JSON.stringify(response)
}

function contentPart(part: GeminiPart, path: string): JsonObject[] {
  const { text, inlineData, fileData } = part
  if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }]
  if (inlineData) return [dataPart(inlineData)]
  if (fileData) return [mediaPart(fileData.mimeType ?? '', fileData.fileUri)]
  const code = asString(asObject(part['executableCode'])?.['code'])
  const output = asString(asObject(part['codeExecutionResult'])?.['output'])
  if (code !== undefined || output !== undefined) return [{ type: 'text', text: code ?? output }]
  throw wrongField(path, 'a part with text, inlineData, fileData, functionCall or functionResponse')
}

function dataPart({ mimeType, data }: { mimeType: string; data: string }): JsonObject {
  if (mimeType.startsWith('text/')) return { type: 'text', text: Buffer.from(data, 'base64').toString('utf8') }
  if (mimeType.startsWith('audio/')) {
    return { type: 'input_audio', input_audio: { data, format: mimeType.slice('audio/'.length) } }
  }
  return mediaPart(mimeType, `data:${mimeType};base64,${data}`)
}

function mediaPart(mimeType: string, url: string): JsonObject {
  if (mimeType.startsWith('image/')) return { type: 'image_url', image_url: { url } }
  const ending = mimeType === 'application/pdf' ? '.pdf' : ''
  return { type: 'file', file: { filename: `document${ending}`, file_data: url } }
}
