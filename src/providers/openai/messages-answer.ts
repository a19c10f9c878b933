import { GatewayError } from '../../errors.ts'
import { completionFromMessage } from '../../wire/messages/response.ts'
import { createMessagesReader, type MessagesReader } from '../../wire/messages/upstream-stream.ts'
import { faultInChunk } from '../../wire/chat/check-shape.ts'
import { isObject, parseJson } from '../../json.ts'
import type { ChatChunk } from '../../wire/chat/schema.ts'
import { createFrameSplitter, readData } from '../../wire/sse.ts'
import { partFromMessages, type StreamPart } from '../../wire/stream-part.ts'
import type { ProviderReply, PassThroughCall } from '../provider.ts'
import type { TransportReply } from '../http/exchange.ts'
import { endedEarly, readWhole, type Upstream } from '../http/upstream.ts'

/** Calls a server's Messages endpoint and passes its answer through; it can be read as chat completions on demand. */
export async function askMessages(
  upstream: Upstream,
  path: string,
  { model: { name: model }, body: json, headers, signal, progress, credential }: PassThroughCall,
): Promise<ProviderReply> {
  const reply = await upstream.send(path, { json, headers, signal, model, progress, credential })
  if (json['stream'] === true && !String(reply.headers['content-type']).includes('json')) {
    return { kind: 'stream', parts: readStream(upstream, reply, model), native: true }
  }
  const message = parseJson(await readWhole(reply.body, upstream.label))
  if (isObject(message) && isObject(message['error'])) throw upstream.failure(message['error'], model)
  if (!isObject(message) || !isContent(message['content']) || json['stream'] === true) {
    throw new GatewayError('upstream_error', `${upstream.label} (${model}) returned no message; check its address.`)
  }
  return {
    kind: 'complete',
    completion: upstream.understand(model, () => completionFromMessage(message)),
    native: message,
  }
}

/** Valid content blocks: they reach the caller unchanged, so the fields that every client reads must be right. */
function isContent(content: unknown): boolean {
  if (!Array.isArray(content)) return false
  return (content as unknown[]).every(
    block =>
      isObject(block) &&
      typeof block['type'] === 'string' &&
      (block['type'] !== 'text' || typeof block['text'] === 'string') &&
      (block['type'] !== 'tool_use' || typeof block['name'] === 'string'),
  )
}

async function* readStream(
  upstream: Upstream,
  { body }: TransportReply,
  model: string,
): AsyncGenerator<StreamPart, void, void> {
  const splitter = createFrameSplitter()
  const reader = createMessagesReader()
  const read = (frames: Buffer) => readAll(upstream, model, frames, reader)
  for await (const bytes of body) {
    for (const part of partsOf(splitter.push(bytes), read, reader)) yield part
    if (reader.isComplete()) {
      body.settle()
      return
    }
  }
  yield* partsOf(splitter.end(), read, reader)
  if (reader.isComplete()) return
  throw endedEarly(upstream, model)
}

/** Converts complete frames to parts; throws the error they report, after the parts that preceded it. */
function* partsOf(
  frames: Buffer,
  read: (frames: Buffer) => ChatChunk[],
  { usage }: Pick<MessagesReader, 'usage'>,
): Iterable<StreamPart> {
  if (frames.length === 0) return
  const text = frames.toString('latin1')
  if (!remarkable.test(text)) {
    // Deltas depend only on blocks opened before, so they can be parsed at any later time.
    yield partFromMessages(frames, () => read(frames), !text.includes('"input_json_delta"'))
    return
  }
  for (let position = 0; position < frames.length;) {
    const found = text.indexOf('\n\n', position)
    const end = found < 0 ? frames.length : found + 2
    const frame = frames.subarray(position, end)
    const chunks = read(frame)
    yield partFromMessages(frame, () => chunks, false, usage())
    position = end
  }
}

/** Converts frames to chunks. Throws the error they report, or `upstream_error` for a wrong shape. */
function readAll(upstream: Upstream, model: string, frames: Buffer, reader: MessagesReader): ChatChunk[] {
  const chunks = upstream.understand(model, () => readData(frames).flatMap(payload => reader.read(payload)))
  for (const chunk of chunks) {
    if (chunk.error !== undefined) throw upstream.failure(chunk.error, model)
    const fault = faultInChunk(chunk)
    if (fault !== undefined)
      throw new GatewayError('upstream_error', `${upstream.label} (${model}) ${fault}; try again.`)
  }
  return chunks
}

/** Events that open or end something. Quotes inside JSON strings are escaped, so these are never model output. */
const remarkable = /"type" ?: ?"(?:message_start|message_delta|message_stop|content_block_start|error)"/
