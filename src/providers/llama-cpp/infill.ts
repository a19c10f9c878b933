import type { CompletionsRequest, NonChatReply } from '../../wire/non-chat.ts'
import { GatewayError } from '../../errors.ts'
import { parseJson, type JsonObject } from '../../json.ts'
import { writeUsage, type ChatChunk } from '../../wire/chat/schema.ts'
import { createFrameSplitter, readData } from '../../wire/sse.ts'
import { partFromChunks, type StreamPart } from '../../wire/stream-part.ts'
import { readNonChat } from '../openai/non-chat.ts'
import type { NonChatCall, Reply } from '../provider.ts'
import { readUsageIn, usageFormats } from '../../wire/usage-formats.ts'
import { endedEarly, type Upstream } from '../http/upstream.ts'

/** Fill-in-the-middle: llama-server's completions ignore `suffix`, but it has a separate route for it. */
export async function infill(upstream: Upstream, call: NonChatCall<CompletionsRequest>): Promise<Reply<NonChatReply>> {
  const { model, request, signal, progress, credential } = call
  const { prompt, suffix, max_tokens: most, stream_options: _, ...rest } = request
  if (typeof prompt !== 'string') {
    throw new GatewayError(
      'unsupported',
      'Fill-in-the-middle takes one prompt at a time; send prompt as a single string.',
      {
        param: 'prompt',
      },
    )
  }
  const limit = most === null || most === undefined ? {} : { n_predict: most }
  const json = { ...rest, ...limit, model: model.name, input_prefix: prompt, input_suffix: suffix ?? '' }
  const question = { json, signal, model: model.name, progress, credential }
  if (request.stream !== true) {
    const answer = readNonChat(upstream, await upstream.json('/infill', question), model.name, faultInFilled)
    return { kind: 'complete', completion: { ...completionOf(answer, model.name), object: 'text_completion' } }
  }
  const { body } = await upstream.send('/infill', question)
  const splitter = createFrameSplitter()
  let complete = false
  const partsOf = (frames: Buffer): StreamPart[] =>
    readData(frames).map(payload => {
      const answer = readNonChat(upstream, parseJson(payload), model.name, faultInFilled)
      complete ||= answer['stop'] === true
      return partFromChunks([completionOf(answer, model.name) as ChatChunk])
    })
  async function* parts(): AsyncGenerator<StreamPart> {
    for await (const bytes of body) yield* partsOf(splitter.push(bytes))
    yield* partsOf(splitter.end())
    if (!complete) throw endedEarly(upstream, model.name)
  }
  return { kind: 'stream', parts: parts() }
}

function faultInFilled({ content }: JsonObject): string | undefined {
  return typeof content === 'string' ? undefined : 'returned no content'
}

/** Converts a response of llama-server's own shape, complete or a piece of a stream, to a text completion. */
function completionOf(answer: NonChatReply, model: string): NonChatReply {
  const { content, stop, stop_type: stopped, truncated } = answer
  const reason = stopped === 'limit' || truncated === true ? 'length' : 'stop'
  const usage = stop === true ? readUsageIn(usageFormats.llamaServer, answer) : undefined
  return {
    id: 'cmpl-infill',
    object: 'text_completion',
    model,
    choices: [{ index: 0, text: content, logprobs: null, finish_reason: stop === true ? reason : null }],
    ...(usage === undefined ? {} : { usage: writeUsage(usage) }),
  }
}
