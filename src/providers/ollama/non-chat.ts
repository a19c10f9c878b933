import { GatewayError } from '../../errors.ts'
import { writeEmbeddings } from '../../wire/embeddings.ts'
import type { CompletionsRequest, NonChatReply } from '../../wire/non-chat.ts'
import { isObject, parseJson, type JsonObject } from '../../json.ts'
import { sameOptions } from '../../wire/ollama/schema.ts'
import { createLineSplitter } from '../../wire/ndjson.ts'
import type { ChatChunk, OpenAiUsage } from '../../wire/chat/schema.ts'
import { partFromChunks, type StreamPart } from '../../wire/stream-part.ts'
import { ollamaUsage } from './answer.ts'
import { contextFor } from './context.ts'
import { optionsOf } from './request.ts'
import { readNonChat } from '../openai/non-chat.ts'
import type { NonChatCall, ProviderNonChat } from '../provider.ts'
import { endedEarly, type Upstream } from '../http/upstream.ts'

/** What is translated below; limits and sampling have the same names as in a chat. */
export const ollamaNonChatFields = {
  embeddings: new Set(['model', 'input', 'dimensions', 'encoding_format']),
  completions: new Set([
    'model',
    'prompt',
    'suffix',
    'stream',
    'stream_options',
    'max_tokens',
    'stop',
    'options',
    'keep_alive',
    ...sameOptions,
  ]),
} as const

/** Ollama's native embeddings and completions; it does not rerank. */
export function ollamaNonChat(
  upstream: Upstream,
  models: { loadedTokens(name: string): number | undefined; noteLoaded(name: string, contextTokens: number): void },
): ProviderNonChat {
  return {
    async embeddings({ model, request, signal, progress, credential }) {
      const input = typeof request.input === 'string' ? [request.input] : request.input
      if (!input.every(text => typeof text === 'string')) throw textOnly('input')
      // Without this a long text would be silently truncated.
      const json = { model: model.name, input, truncate: false, ...given('dimensions', request.dimensions) }
      const answer = readNonChat(
        upstream,
        await upstream.json('/api/embed', { json, signal, model: model.name, progress, credential }),
        model.name,
        () => undefined,
      )
      const vectors: unknown[] = Array.isArray(answer['embeddings']) ? answer['embeddings'] : []
      const reply = {
        model: model.name,
        data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
        ...usageOf({ ...answer, eval_count: 0 }),
      }
      return {
        kind: 'complete',
        completion: upstream.understand(model.name, () => writeEmbeddings(reply, request, model.id)),
      }
    },
    async completions(call) {
      const { model, request, signal, progress, credential } = call
      const contextTokens = contextFor({ ...call, request: asChat(request) }, models.loadedTokens(model.name))
      const json = generateRequest(call, contextTokens)
      models.noteLoaded(model.name, contextTokens)
      const question = { json, signal, model: model.name, progress, credential }
      const read = (answer: unknown) =>
        completionOf(readNonChat(upstream, answer, model.name, faultInGenerated), model.name)
      if (request.stream !== true) {
        const answer = await upstream.json('/api/generate', question)
        const completion = read(answer)
        if (!isObject(answer) || answer['done'] !== true) throw endedEarly(upstream, model.name)
        return { kind: 'complete', completion }
      }
      const { body } = await upstream.send('/api/generate', question)
      const lines = createLineSplitter()
      async function* parts(): AsyncGenerator<StreamPart> {
        let complete = false
        const partOf = (line: string): StreamPart => {
          const answer = parseJson(line)
          complete ||= isObject(answer) && answer['done'] === true
          return partFromChunks([read(answer) as ChatChunk])
        }
        for await (const bytes of body) {
          for (const line of lines.push(bytes)) yield partOf(line)
        }
        for (const line of lines.end()) yield partOf(line)
        if (!complete) throw endedEarly(upstream, model.name)
      }
      return { kind: 'stream', parts: parts() }
    },
  }
}

/** `raw`: the prompt is continued, not answered as a message; with a suffix Ollama's template places both. */
function generateRequest({ model, request }: NonChatCall<CompletionsRequest>, contextTokens: number) {
  const { prompt, suffix } = request
  const text = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof text !== 'string') throw textOnly('prompt')
  const fills = typeof suffix === 'string' && suffix !== ''
  return {
    model: model.name,
    prompt: text,
    ...(fills ? { suffix } : { raw: true }),
    stream: request.stream === true,
    options: optionsOf(asChat(request), contextTokens),
    ...given('keep_alive', request['keep_alive']),
  }
}

/** The sampling fields have the same names in both. */
function asChat({ prompt: _prompt, suffix: _suffix, ...rest }: CompletionsRequest) {
  return { ...rest, messages: [] }
}

function faultInGenerated({ response }: JsonObject): string | undefined {
  return typeof response === 'string' ? undefined : 'returned no response'
}

function completionOf(answer: NonChatReply, model: string): NonChatReply {
  const { response, done, done_reason: reason } = answer
  const finish = reason === 'length' ? 'length' : 'stop'
  return {
    object: 'text_completion',
    model,
    choices: [{ index: 0, text: response, logprobs: null, finish_reason: done === true ? finish : null }],
    ...usageOf(answer),
  }
}

function usageOf(answer: NonChatReply): { usage?: OpenAiUsage } {
  const usage = ollamaUsage(answer)
  return usage === undefined ? {} : { usage }
}

function textOnly(param: string): GatewayError {
  return new GatewayError('unsupported', `Ollama accepts ${param} only as a single string, not as tokens or a list.`, {
    param,
  })
}

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined || value === null ? {} : { [name]: value }
}
