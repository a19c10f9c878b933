import { GatewayError } from '../../errors.ts'
import type { CompletionsRequest, NonChatReply } from '../../wire/non-chat.ts'
import type { ChatChunk, ChatCompletion, ChatRequest } from '../../wire/chat/schema.ts'
import { foldStream } from '../../wire/chat/chunks.ts'
import { partFromChunks, type StreamPart } from '../../wire/stream-part.ts'
import type { NonChatCall, Provider, ProviderNonChat, Reply } from '../provider.ts'

type Completions = NonNullable<ProviderNonChat['completions']>

/**
 * Requests completions until the server turns out to have none (many clouds offer only chat) and from then on has its
 * chat continue the text. A model unknown here is unknown to the chat too, whose error is then returned.
 */
export function completionsOrChat(completions: Completions, chat: Provider['chat']): Completions {
  let absent = false
  return async call => {
    if (absent) return completionByChat(chat, call)
    try {
      return await completions(call)
    } catch (error) {
      const missing =
        error instanceof GatewayError && (error.code === 'model_not_found' || error.code === 'unsupported')
      if (!missing) throw error
      const reply = await completionByChat(chat, call)
      absent = true
      return reply
    }
  }
}

/** Converts a completion request to a chat. Throws `unsupported` for prompts that are tokens or several. */
async function completionByChat(
  chat: Provider['chat'],
  call: NonChatCall<CompletionsRequest>,
): Promise<Reply<NonChatReply>> {
  const reply = await chat({ ...call, request: chatRequest(call.request) })
  if (reply.kind === 'complete') return { kind: 'complete', completion: textCompletion(reply.completion) }
  const { parts } = reply
  if (call.request.stream !== true) return { kind: 'complete', completion: textCompletion(await foldStream(parts)) }
  async function* texts(): AsyncGenerator<StreamPart> {
    for await (const part of parts) yield partFromChunks(part.chunks.map(textChunk))
  }
  return { kind: 'stream', parts: texts() }
}

const continues =
  'Continue the text that the user sends. Answer with the continuation alone: no introduction, no fences.'
const fills =
  'The user sends a text with a gap, marked <gap/>. Answer only with the text that fills the gap: no introduction, no fences.'

/** What chat has no equivalent of, and the value that asks for nothing. */
const unsupportedFields: Readonly<Record<string, unknown>> = { echo: false, best_of: 1, logprobs: undefined }

/** Fields that chat has too. */
const sameFields = [
  'model',
  'stream',
  'stream_options',
  'max_tokens',
  'stop',
  'n',
  'temperature',
  'top_p',
  'seed',
  'user',
  'frequency_penalty',
  'presence_penalty',
  'logit_bias',
]

function chatRequest(request: CompletionsRequest): ChatRequest {
  const { prompt, suffix } = request
  const text = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof text !== 'string') {
    const sentence = 'A server without completions accepts a single text prompt; send prompt as a single string.'
    throw new GatewayError('unsupported', sentence, { param: 'prompt' })
  }
  for (const [field, nothing] of Object.entries(unsupportedFields)) {
    if (request[field] == null || request[field] === nothing) continue
    const sentence = `A server without completions has no ${field}; omit it or use another model.`
    throw new GatewayError('unsupported', sentence, { param: field })
  }
  const gap = typeof suffix === 'string' && suffix !== ''
  const same = Object.fromEntries(
    sameFields.flatMap(field => (request[field] == null ? [] : [[field, request[field]]])),
  )
  return {
    ...same,
    model: request.model,
    messages: [
      { role: 'system', content: gap ? fills : continues },
      { role: 'user', content: gap ? `${text}<gap/>${suffix}` : text },
    ],
  }
}

function textCompletion({ choices, ...rest }: ChatCompletion): NonChatReply {
  return {
    ...rest,
    object: 'text_completion',
    choices: choices.map(({ index, message, finish_reason }) => ({
      index,
      text: message.content ?? '',
      logprobs: null,
      finish_reason,
    })),
  }
}

function textChunk({ choices = [], ...rest }: ChatChunk): ChatChunk {
  const texts = choices.map(({ index, delta, finish_reason = null }) => ({
    index,
    text: delta?.content ?? '',
    logprobs: null,
    finish_reason,
  }))
  // A choice of a text completion has no delta; otherwise the stream is the same for counting and forwarding.
  return { ...rest, object: 'text_completion', choices: texts as unknown as NonNullable<ChatChunk['choices']> }
}
