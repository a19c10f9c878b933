import { GatewayError } from '../../errors.ts'
import { chunksOf, createCompletionFold } from '../../wire/chat/chunks.ts'
import { boundUsage, faultInCompletion } from '../../wire/chat/check-shape.ts'
import { isAnsweredWhole } from '../../wire/chat/answered-whole.ts'
import { isObject, parseJson } from '../../json.ts'
import type { ChatCompletion, ChatRequest } from '../../wire/chat/schema.ts'
import { partFromChunks, type StreamPart } from '../../wire/stream-part.ts'
import { callableTools, toolChoiceOf } from '../../wire/chat/tool-choice.ts'
import { repairToolCalls } from './repair-tool-calls.ts'
import { type AnsweredRequest, createFrameReader, type FrameReader } from './frames.ts'
import type { ProviderCall, ProviderReply } from '../provider.ts'
import type { TransportReply } from '../http/exchange.ts'
import { readWhole, type Upstream } from '../http/upstream.ts'

/** The fields of a chat request as sent to a server. */
export type ChatBody = Record<string, unknown>

/**
 * The request for any OpenAI-compatible server: its own model name, usage always requested in streams, the fields `models` and
 * `usage` removed, which are answered here, and unknown fields forwarded.
 */
export function chatBody({ request, model }: Pick<ProviderCall, 'request' | 'model'>): ChatBody {
  const { models: _models, usage: _usage, stream_options: _options, ...rest } = request
  const body: ChatBody = { ...rest, model: model.name }
  return request.stream === true ? { ...body, ...streamFields(request) } : body
}

/** Usage is requested even if the caller does not want it: the ledger needs it. */
function streamFields({ stream_options: options }: ChatRequest): ChatBody {
  return { stream: true, stream_options: { ...options, include_usage: true } }
}

/**
 * The same for local servers: some accept only the older name of the output limit, and they support forcing a tool call but
 * not naming the function, so all other tools are left out.
 */
export function localChatBody(call: Pick<ProviderCall, 'request' | 'model'>): ChatBody {
  const { max_tokens: most, max_completion_tokens: newerMost, tool_choice: choice } = call.request
  const limit = most ?? newerMost
  const { forced, only } = toolChoiceOf(choice)
  return {
    ...chatBody(call),
    ...(limit === null || limit === undefined ? {} : { max_tokens: limit }),
    ...(only === undefined ? {} : { tool_choice: forced ? 'required' : 'auto', tools: callableTools(call.request) }),
  }
}

/**
 * Calls an OpenAI-compatible server, which may answer in either form. It is requested to stream even for a buffered response:
 * only then can a hung server be told from a busy one, and a server writing token by token notices a disconnect at once, while
 * for a buffered response llama-server checks only every second, or never under load.
 */
export async function openAiChat(
  upstream: Upstream,
  path: string,
  { model, signal, request, progress, credential }: ProviderCall,
  body: ChatBody,
): Promise<ProviderReply> {
  const asked = { model: model.name, dropPromptProgress: addsPromptProgress(body, request) }
  const send = (json: ChatBody) => upstream.send(path, { json, signal, model: model.name, progress, credential })
  const whole = async (): Promise<ProviderReply> => {
    const text = await readWhole((await send(body)).body, upstream.label)
    return {
      kind: 'complete',
      completion: upstream.understand(model.name, () => readCompletion(upstream, text, asked)),
    }
  }
  if (isAnsweredWhole(request)) return whole()
  try {
    const reply = await send({ ...body, ...streamFields(request) })
    return { kind: 'stream', parts: readStream(upstream, reply, asked) }
  } catch (error) {
    if (request.stream === true || !refusesToStream(error)) throw error
    return whole()
  }
}

/** Whether reports of how much of the prompt is read are requested that the caller did not ask for. */
export function addsPromptProgress(body: ChatBody, request: Readonly<ChatBody>): boolean {
  return body['return_progress'] === true && request['return_progress'] !== true
}

/** Some cloud models do not support streaming. */
function refusesToStream(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    (error.code === 'upstream_rejected' || error.code === 'unsupported') &&
    /\bstream/i.test(error.message)
  )
}

async function* readStream(
  upstream: Upstream,
  reply: TransportReply,
  asked: AnsweredRequest,
): AsyncGenerator<StreamPart> {
  const { body } = reply
  const frames = createFrameReader(upstream, asked)
  let begun = false
  let blankBytes = 0
  for await (const bytes of body) {
    // Some servers answer a stream request with JSON, or with a proxy's web page; the first character tells which.
    const first: string | undefined = begun ? undefined : firstCharacter(bytes)
    if (first === '<') throw notAModelServer(upstream)
    if (first === '{') {
      const text = await readWhole(body, upstream.label, bytes)
      yield partFromChunks(upstream.understand(asked.model, () => chunksOf(readCompletion(upstream, text, asked))))
      return
    }
    begun ||= first !== undefined
    if (!begun) {
      blankBytes += bytes.length
      if (blankBytes > maxBlankBytes) throw endlessWhitespace(upstream)
      continue
    }
    // `yield*` would add a wait per part.
    for (const part of frames.push(bytes)) yield part
    if (frames.done) {
      body.settle()
      break
    }
  }
  yield* frames.end()
}

/** Some servers send whitespace to keep a connection open, but never this much. */
const maxBlankBytes = 1024 * 1024

function endlessWhitespace({ label }: Upstream): GatewayError {
  return new GatewayError('upstream_error', `${label} sent more than 1 MB of whitespace instead of an answer.`)
}

/** Undefined where there is only whitespace. */
function firstCharacter(bytes: Buffer): string | undefined {
  const position = bytes.findIndex(byte => byte > 0x20)
  return position < 0 ? undefined : String.fromCharCode(bytes[position]!)
}

function readCompletion(upstream: Upstream, text: string, asked: AnsweredRequest): ChatCompletion {
  const { model } = asked
  if (/^\s*(data|event|id|retry)?:/.test(text)) return foldStream(createFrameReader(upstream, asked), text)
  const answer = parseJson(text)
  if (!isObject(answer)) throw notAModelServer(upstream)
  const failed = answer.error ?? answer.detail
  if (failed !== undefined && failed !== null) throw upstream.failure(failed, model)
  const fault = faultInCompletion(answer)
  if (fault !== undefined) {
    throw new GatewayError('upstream_error', `${upstream.label} (${model}) ${fault}; try again or use another model.`)
  }
  boundUsage(answer)
  const completion = answer as unknown as ChatCompletion
  for (const choice of completion.choices) {
    if (choice.finish_reason === 'error')
      throw upstream.failure(choice.error ?? 'The model stopped with an error.', model)
    choice.finish_reason ??= choice.message.tool_calls?.length ? 'tool_calls' : 'stop'
    repairToolCalls(choice.message.tool_calls)
  }
  return completion
}

/** The server streamed although no stream was requested. */
function foldStream(frames: FrameReader, text: string): ChatCompletion {
  const fold = createCompletionFold()
  for (const parts of [frames.push(Buffer.from(text)), frames.end()]) {
    for (const part of parts) fold.addPart(part)
  }
  return fold.completion()
}

function notAModelServer({ label }: Upstream): GatewayError {
  return new GatewayError(
    'upstream_error',
    `${label} returned a web page or plain text instead of a model response; check that its address belongs to a model server.`,
  )
}
