import { GatewayError } from '../errors.ts'
import { isRecord, parseJson } from '../wire/json.ts'
import type { ChatChunk } from '../wire/openai.ts'
import { createFrameSplitter, readData } from '../wire/sse.ts'
import { partFromBytes, partFromChunks, type StreamPart } from '../wire/stream-part.ts'
import { type KnownCalls, mendToolCalls } from './mend-tool-calls.ts'
import type { Upstream } from './upstream.ts'

/** Turns the bytes of one answer's event stream into parts. */
export interface FrameReader {
  /** Throws the failure that the stream tells, after the parts that came before it. */
  push(bytes: Buffer): Iterable<StreamPart>
  /** To be called when the stream is over: the last part, and whatever the server left out at the end. */
  end(): Iterable<StreamPart>
  /** `[DONE]` was seen. */
  readonly done: boolean
}

/** What the answer is to. */
export interface Asked {
  model: string
  /** How many messages the request had. */
  turn: number
}

/**
 * Frames in the middle of an answer pass through as the bytes they are. Only those are parsed that open the answer, are not
 * plain chunks, or may hold an error, a tool call or `[DONE]`.
 */
export function createFrameReader(upstream: Upstream, { model, turn }: Asked): FrameReader {
  const splitter = createFrameSplitter()
  const known = new Map<number, KnownCalls>()
  let identity: Pick<ChatChunk, 'id' | 'created' | 'model'> = {}
  let began = false
  let finished = false
  let done = false

  const parse = (bytes: Buffer): ChatChunk[] =>
    readData(bytes).map(payload => {
      const chunk = parseChunk(payload, upstream.label)
      if (chunk instanceof GatewayError) throw chunk
      return chunk
    })
  const look = (chunks: readonly ChatChunk[]) => {
    const [first] = chunks
    if (first !== undefined && identity.id === undefined) {
      identity = { id: first.id, created: first.created, model: first.model }
    }
    began ||= chunks.some(hasContent)
    finished ||= chunks.some(chunk => chunk.choices?.some(choice => typeof choice.finish_reason === 'string') ?? false)
  }

  function* plain(frames: Buffer): Iterable<StreamPart> {
    const part = partFromBytes(frames, parse)
    finished ||= hasFinishReason(frames)
    if (!began || frames.includes(toolCalls)) {
      look(part.chunks)
      if (mend(part.chunks)) {
        yield partFromChunks(part.chunks)
        return
      }
    }
    yield part
  }

  function* careful(frames: Buffer): Iterable<StreamPart> {
    const chunks: ChatChunk[] = []
    const { failure, ended } = readChunks(frames, chunks)
    done = ended
    look(chunks)
    mend(chunks)
    if (chunks.length > 0) yield partFromChunks(chunks)
    if (failure !== undefined) throw failure
  }

  /** Fills `chunks` up to the end of the answer or to what goes wrong: what came before that is not lost. */
  const readChunks = (frames: Buffer, chunks: ChatChunk[]): { failure?: GatewayError; ended: boolean } => {
    for (const payload of readData(frames)) {
      if (payload.trim() === '[DONE]') return { ended: true }
      const chunk = parseChunk(payload, upstream.label)
      if (chunk instanceof GatewayError) return { failure: chunk, ended: false }
      const error = errorIn(chunk)
      if (error !== undefined) return { failure: upstream.failure(error, model), ended: false }
      chunks.push(chunk)
    }
    return { ended: false }
  }

  const mend = (chunks: readonly ChatChunk[]): boolean => {
    let mended = false
    for (const { index, delta } of chunks.flatMap(chunk => chunk.choices ?? [])) {
      if (!delta?.tool_calls) continue
      const calls = known.get(index) ?? new Map<number, string>()
      known.set(index, calls)
      mended = mendToolCalls(delta.tool_calls, turn, calls) || mended
    }
    return mended
  }

  return {
    *push(bytes) {
      const frames = splitter.push(bytes)
      if (frames.length > 0 && !done) yield* isPlain(frames) ? plain(frames) : careful(frames)
    },
    *end() {
      const rest = splitter.end()
      if (rest.length > 0 && !done) yield* careful(rest)
      if (!began && !finished) {
        throw new GatewayError('upstream_error', `${upstream.label} (${model}) ended its stream without an answer.`)
      }
      if (finished) return
      // Clients take a stream without a reason to stop for a broken one.
      const reason = known.size > 0 ? 'tool_calls' : 'stop'
      const closing = { object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: reason }] }
      yield partFromChunks([{ ...identity, ...closing }])
    },
    get done() {
      return done
    },
  }
}

const error = Buffer.from('"error"')
const choices = Buffer.from('"choices"')
const toolCalls = Buffer.from('"tool_calls"')
const doneMark = Buffer.from('[DONE]')
const finishReason = Buffer.from('"finish_reason"')
const [lineFeed, carriageReturn, letterD, quote, colon, space] = [0x0a, 0x0d, 0x64, 0x22, 0x3a, 0x20]

/**
 * Nothing but chunks: no comments, event names, carriage returns, errors or end. Quotes inside JSON texts are escaped, so
 * `"error"` in the bytes is a name or a whole value, never the model's words.
 */
function isPlain(frames: Buffer): boolean {
  if (frames.includes(error) || frames.includes(doneMark)) return false
  for (let at = 0; at < frames.length;) {
    const end = frames.indexOf(lineFeed, at)
    if (end < 0) return false
    if (end > at) {
      if (frames[at] !== letterD || frames[end - 1] === carriageReturn) return false
      const chosen = frames.indexOf(choices, at)
      if (chosen < 0 || chosen > end) return false
    }
    at = end + 1
  }
  return true
}

/** Whether a reason is given rather than null. */
function hasFinishReason(frames: Buffer): boolean {
  for (let at = frames.indexOf(finishReason); at >= 0; at = frames.indexOf(finishReason, at)) {
    at += finishReason.length
    while (frames[at] === colon || frames[at] === space) at++
    if (frames[at] === quote) return true
  }
  return false
}

function hasContent(chunk: ChatChunk): boolean {
  return (chunk.choices ?? []).some(({ delta }) =>
    Object.entries(delta ?? {}).some(
      ([field, value]) => field !== 'role' && value !== null && value !== undefined && value !== '',
    ),
  )
}

function errorIn(chunk: ChatChunk): unknown {
  if (chunk.error !== undefined && chunk.error !== null) return chunk.error
  if (chunk.choices?.some(choice => choice.finish_reason === 'error')) return 'The model stopped with an error.'
  // vLLM and some web frameworks send the error itself as the event.
  if (chunk.choices === undefined && (chunk.object === 'error' || 'detail' in chunk || 'message' in chunk)) {
    return chunk.detail ?? chunk
  }
  return undefined
}

function parseChunk(payload: string, label: string): ChatChunk | GatewayError {
  const chunk = parseJson(payload)
  if (isRecord(chunk)) return chunk
  return new GatewayError(
    'upstream_error',
    `${label} sent a stream event that is no JSON object; its answer is broken.`,
  )
}
