import { writeEmbeddings } from '../../wire/embeddings.ts'
import { nonChatEndpoints, type CompletionsRequest, type NonChatType, type NonChatReply } from '../../wire/non-chat.ts'
import { GatewayError } from '../../errors.ts'
import { isObject, type JsonObject } from '../../json.ts'
import { boundUsage, faultInRanking, faultInTextCompletion } from '../../wire/chat/check-shape.ts'
import type { StreamPart } from '../../wire/stream-part.ts'
import { addsPromptProgress, type ChatBody } from './chat.ts'
import { createFrameReader } from './frames.ts'
import type { NonChatCall, ProviderNonChat, Reply } from '../provider.ts'
import type { Upstream } from '../http/upstream.ts'

/**
 * The non-chat endpoints of OpenAI-compatible servers, at `prefix` and the standard paths. `forStream` adds fields to requests
 * for a stream.
 */
export function openAiNonChat(
  upstream: Upstream,
  prefix: string,
  forStream: (body: ChatBody) => ChatBody = body => body,
): Required<ProviderNonChat> {
  return {
    async embeddings(call) {
      // Requested as numbers, since many servers support nothing else; the packing is done here.
      const body = { ...call.request, encoding_format: 'float' }
      const reply = await requestBuffered(upstream, prefix, 'embeddings', call, body)
      return {
        kind: 'complete',
        completion: upstream.understand(call.model.name, () => writeEmbeddings(reply, call.request, call.model.id)),
      }
    },
    async completions(call) {
      if (call.request.stream === true)
        return streamedCompletion(upstream, `${prefix}/completions`, call, forStream(call.request))
      return {
        kind: 'complete',
        completion: await requestBuffered(upstream, prefix, 'completions', call, call.request),
      }
    },
    async rerank(call) {
      return { kind: 'complete', completion: await requestBuffered(upstream, prefix, 'rerank', call, call.request) }
    },
  }
}

async function requestBuffered(
  upstream: Upstream,
  prefix: string,
  name: NonChatType,
  { model, signal, progress, credential }: NonChatCall<unknown>,
  body: ChatBody,
): Promise<NonChatReply> {
  const json = { ...body, model: model.name }
  const path = prefix + nonChatEndpoints[name].path
  const reply = await upstream.json(path, { json, signal, model: model.name, progress, credential })
  return readNonChat(upstream, reply, model.name, faultIn[name])
}

/** What is wrong with the shape of a response, as words that follow the server's name. */
type FaultIn = (answer: JsonObject) => string | undefined

const faultIn: Readonly<Record<NonChatType, FaultIn>> = {
  // Vectors are checked where they are converted.
  embeddings: () => undefined,
  completions: faultInTextCompletion,
  rerank: faultInRanking,
}

/** A buffered response, or one piece of a stream. Throws an error reported under status 200, and what `faultIn` finds. */
export function readNonChat(upstream: Upstream, answer: unknown, model: string, faultIn: FaultIn): NonChatReply {
  if (!isObject(answer))
    throw new GatewayError(
      'upstream_error',
      `${upstream.label} returned something other than a JSON object; try again.`,
    )
  const failed = answer['error'] ?? undefined
  if (failed !== undefined) throw upstream.failure(failed, model)
  const fault = faultIn(answer)
  if (fault !== undefined) {
    throw new GatewayError('upstream_error', `${upstream.label} (${model}) ${fault}; try again or use another model.`)
  }
  boundUsage(answer)
  return answer
}

/** A stream of text completions; their frames differ from a chat's only in what a choice holds. */
async function streamedCompletion(
  upstream: Upstream,
  path: string,
  { model, signal, request, progress, credential }: NonChatCall<CompletionsRequest>,
  body: ChatBody,
): Promise<Reply<never>> {
  const json = { ...body, model: model.name, stream: true, stream_options: { include_usage: true } }
  const { body: bytes } = await upstream.send(path, { json, signal, model: model.name, progress, credential })
  const asked = { model: model.name, dropPromptProgress: addsPromptProgress(body, request) }
  const frames = createFrameReader(upstream, asked)
  async function* parts(): AsyncGenerator<StreamPart> {
    for await (const some of bytes) {
      for (const part of frames.push(some)) yield part
      if (frames.done) {
        bytes.settle()
        break
      }
    }
    yield* frames.end()
  }
  return { kind: 'stream', parts: parts() }
}
