import { GatewayError } from '../../errors.ts'
import { completionFromMessage } from '../../wire/messages/response.ts'
import { createMessagesReader, type MessagesReader } from '../../wire/messages/upstream-stream.ts'
import { isObject, parseJson } from '../../json.ts'
import type { ChatChunk } from '../../wire/chat/schema.ts'
import { createFrameSplitter, readData } from '../../wire/sse.ts'
import { partFromMessages, type StreamPart } from '../../wire/stream-part.ts'
import type { ProviderReply, PassThroughCall } from '../provider.ts'
import type { TransportReply } from '../http/exchange.ts'
import { readWhole, type Upstream } from '../http/upstream.ts'

/** Calls a server's Messages endpoint and passes its answer through; it can be read as chat completions on demand. */
export async function askMessages(
  upstream: Upstream,
  path: string,
  { model: { name: model }, body: json, headers, signal }: PassThroughCall,
): Promise<ProviderReply> {
  const reply = await upstream.send(path, { json, headers, signal, model })
  if (json['stream'] === true && !String(reply.headers['content-type']).includes('json')) {
    return { kind: 'stream', parts: readStream(upstream, reply, model), native: true }
  }
  const message = parseJson(await readWhole(reply.body, upstream.label))
  if (isObject(message) && isObject(message['error'])) throw upstream.failure(message['error'], model)
  if (!isObject(message) || !Array.isArray(message['content']) || json['stream'] === true) {
    throw new GatewayError('upstream_error', `${upstream.label} (${model}) returned no message; check its address.`)
  }
  return { kind: 'complete', completion: completionFromMessage(message), native: message }
}

async function* readStream(
  upstream: Upstream,
  { body }: TransportReply,
  model: string,
): AsyncGenerator<StreamPart, void, void> {
  const splitter = createFrameSplitter()
  const reader = createMessagesReader()
  const failure = (error: unknown) => upstream.failure(error, model)
  for await (const bytes of body) {
    for (const part of partsOf(splitter.push(bytes), reader, failure)) yield part
    if (reader.isComplete()) {
      body.settle()
      return
    }
  }
  yield* partsOf(splitter.end(), reader, failure)
  if (reader.isComplete()) return
  throw new GatewayError(
    'upstream_error',
    `${upstream.label} (${model}) ended its stream before the answer was complete.`,
  )
}

/** Converts complete frames to parts; throws the error they report, after the parts that preceded it. */
function* partsOf(
  frames: Buffer,
  reader: MessagesReader,
  failure: (error: unknown) => GatewayError,
): Iterable<StreamPart> {
  if (frames.length === 0) return
  const text = frames.toString('latin1')
  if (!remarkable.test(text)) {
    // Deltas depend only on blocks opened before, so they can be parsed at any later time.
    yield partFromMessages(frames, () => readAll(frames, reader), !text.includes('"input_json_delta"'))
    return
  }
  for (let at = 0; at < frames.length;) {
    const found = text.indexOf('\n\n', at)
    const end = found < 0 ? frames.length : found + 2
    const frame = frames.subarray(at, end)
    const chunks = readAll(frame, reader)
    const failed = chunks.find(({ error }) => error !== undefined)
    if (failed !== undefined) throw failure(failed.error)
    yield partFromMessages(frame, () => chunks, false)
    at = end
  }
}

function readAll(frames: Buffer, reader: MessagesReader): ChatChunk[] {
  return readData(frames).flatMap(payload => reader.read(payload))
}

/** Events that open or end something. Quotes inside JSON strings are escaped, so these are never model output. */
const remarkable = /"type" ?: ?"(?:message_start|message_delta|message_stop|content_block_start|error)"/
