import { GatewayError } from '../../errors.ts'
import { isObject, parseJson } from '../../json.ts'
import { boundUsage, faultInChunk } from '../../wire/chat/check-shape.ts'
import type { ChatChunk } from '../../wire/chat/schema.ts'
import { createFrameSplitter, readData } from '../../wire/sse.ts'
import { partFromBytes, partFromChunks, type StreamPart } from '../../wire/stream-part.ts'
import { createToolCallRepair } from './repair-tool-calls.ts'
import { endedEarly, type Upstream } from '../http/upstream.ts'

/** Converts the bytes of one answer's event stream to parts. */
export interface FrameReader {
  /** Throws the error that the stream reports, after the parts that preceded it. */
  push(bytes: Buffer): Iterable<StreamPart>
  /** Call it at the end of the stream: returns the last part and whatever the server omitted at the end. */
  end(): Iterable<StreamPart>
  /** `[DONE]` was seen. */
  readonly done: boolean
}

/** What the answer is to. */
export interface AnsweredRequest {
  model: string
  /** Reports of how much of the prompt is read were requested only to keep the connection in use; see `withPromptProgress` in llama-cpp.ts. */
  dropPromptProgress?: boolean
}

/**
 * Frames in the middle of an answer pass through as bytes. Only frames that start the answer, are not plain chunks, or
 * hold a tool call, a finish reason, usage or an error are parsed.
 */
export function createFrameReader(
  upstream: Upstream,
  { model, dropPromptProgress = false }: AnsweredRequest,
): FrameReader {
  const splitter = createFrameSplitter()
  const calls = createToolCallRepair()
  let identity: Pick<ChatChunk, 'id' | 'created' | 'model'> = {}
  let began = false
  let finished = false
  let done = false
  /** A chunk parsed just now had its usage corrected. */
  let bounded = false

  const readChunk = (payload: string): ChatChunk | GatewayError => {
    const chunk = parseJson(payload)
    const fault = isObject(chunk) ? faultInChunk(chunk) : 'sent a stream event that is not a JSON object'
    if (fault !== undefined || !isObject(chunk)) {
      return new GatewayError(
        'upstream_error',
        `${upstream.label} (${model}) ${fault}; try again or use another model.`,
      )
    }
    bounded = boundUsage(chunk) || bounded
    return chunk
  }
  const parse = (bytes: Buffer): ChatChunk[] =>
    readData(bytes).map(payload => {
      const chunk = readChunk(payload)
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

  function* plain(frames: Buffer, text: string): Iterable<StreamPart> {
    const opening = began ? 0 : lookAtOpening(frames, text)
    if (opening > 0) yield repairedPart(frames.subarray(0, opening), text)
    const closing = startOfClosing(text, opening)
    if (closing > opening) yield partFromBytes(frames.subarray(opening, closing), parse, true)
    if (closing === frames.length) return
    const rest = repairedPart(frames.subarray(closing), text)
    look(rest.chunks)
    yield rest
  }

  /** Inspects one frame after another until the answer has started; returns where the next one starts. */
  const lookAtOpening = (frames: Buffer, text: string): number => {
    for (let position = 0; position < frames.length;) {
      const end = text.indexOf('\n\n', position) + 2
      look(parse(frames.subarray(position, end)))
      if (began) return end
      position = end
    }
    return frames.length
  }

  const repairedPart = (frames: Buffer, text: string): StreamPart => {
    const part = partFromBytes(frames, parse)
    bounded = false
    const { chunks } = part
    const repaired = text.includes('"tool_calls"') && calls.repair(chunks)
    return repaired || bounded ? partFromChunks(chunks) : part
  }

  function* careful(frames: Buffer): Iterable<StreamPart> {
    const chunks: ChatChunk[] = []
    const { failure, ended } = readChunks(frames, chunks)
    done = ended
    look(chunks)
    calls.repair(chunks)
    if (chunks.length > 0) yield partFromChunks(chunks)
    if (failure !== undefined) throw failure
  }

  /** Fills `chunks` up to the end of the answer or to an error: what preceded the error is not lost. */
  const readChunks = (frames: Buffer, chunks: ChatChunk[]): { failure?: GatewayError; ended: boolean } => {
    for (const payload of readData(frames)) {
      if (payload.trim() === '[DONE]') return { ended: true }
      const chunk = readChunk(payload)
      if (chunk instanceof GatewayError) return { failure: chunk, ended: false }
      const error = errorIn(chunk)
      if (error !== undefined) return { failure: upstream.failure(error, model), ended: false }
      chunks.push(chunk)
    }
    return { ended: false }
  }

  return {
    *push(bytes) {
      const frames = withoutPromptProgress(splitter.push(bytes), dropPromptProgress && !began)
      if (frames.length === 0 || done) return
      // Latin-1 maps one byte to one character, so an index in the text is an index in the bytes.
      const text = frames.toString('latin1')
      const end = startOfEnd(text)
      if (isPlain(text, end)) {
        done = end < text.length
        if (end > 0) yield* plain(frames.subarray(0, end), done ? text.slice(0, end) : text)
      } else {
        yield* careful(frames)
      }
    },
    *end() {
      const rest = splitter.end()
      if (rest.length > 0 && !done) yield* careful(rest)
      if (!began && !finished) {
        throw new GatewayError('upstream_error', `${upstream.label} (${model}) ended its stream without an answer.`)
      }
      if (finished) return
      if (!done) throw endedEarly(upstream, model)
      // Clients treat a stream without a finish reason as broken.
      const reason = calls.found ? 'tool_calls' : 'stop'
      const closing = { object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: reason }] }
      yield partFromChunks([{ ...identity, ...closing }])
    },
    get done() {
      return done
    },
  }
}

/** The frames; where `drop`, without those that report how much of the prompt has been read. */
function withoutPromptProgress(frames: Buffer, drop: boolean): Buffer {
  if (!drop || !frames.includes(promptProgressField)) return frames
  const kept = frames
    .toString('latin1')
    .split(/(?<=\n\n)/)
    .filter(frame => !frame.includes(promptProgressField))
  return Buffer.from(kept.join(''), 'latin1')
}

/** Quotes inside JSON strings are escaped, so this is never generated text. */
const promptProgressField = '"prompt_progress":'

/** Where the last event, `[DONE]`, starts; the length where there is none. Line ends inside JSON strings are escaped. */
function startOfEnd(text: string): number {
  const position = text.lastIndexOf('data: [DONE]')
  return position === 0 || (position > 0 && text.endsWith('\n\n', position)) ? position : text.length
}

/**
 * Only chunks up to `end`: no comments, event names, carriage returns or errors. Quotes inside JSON strings are
 * escaped, so `"error"` is a name or a complete value, never model output.
 */
function isPlain(text: string, end: number): boolean {
  if (text.includes('"error"') || text.includes('\r') || misshapen.test(text)) return false
  for (let position = 0; position < end;) {
    const lineEnd = text.indexOf('\n', position)
    if (lineEnd < 0) return false
    if (lineEnd > position) {
      startOfData.lastIndex = position
      if (!startOfData.test(text)) return false
      // A truncated event must not reach the caller unchanged.
      if (text[lineEnd - 1] !== '}') return false
      const chosen = text.indexOf('"choices"', position)
      if (chosen < 0 || chosen > lineEnd) return false
    }
    position = lineEnd + 1
  }
  return true
}

const startOfData = /data: *\{/y

/** Shapes that no valid chunk has. Quotes inside JSON strings are escaped, so these never match generated text. */
const misshapen =
  /"choices" *: *(?! |\[ *[{\]])|"delta" *: *(?![ {]|null)|"(?:content|text|reasoning_content|reasoning|refusal)" *: *(?![ "]|null)/

/** Where the first frame with such a field starts, from `start` on; the length where none has one. */
function startOfClosing(text: string, start: number): number {
  const found = text.slice(start).search(closingField)
  if (found < 0) return text.length
  const before = text.lastIndexOf('\n\n', start + found)
  return before < start ? start : before + 2
}

/** Fields that end the middle of an answer. Many servers send the last two as null in every chunk. */
const closingField = /"tool_calls"|"finish_reason": *"|"usage": *\{/

function hasContent(chunk: ChatChunk): boolean {
  return (chunk.choices ?? []).some(
    ({ delta, text }) =>
      (typeof text === 'string' && text !== '') ||
      Object.entries(delta ?? {}).some(
        ([field, value]) => field !== 'role' && value !== null && value !== undefined && value !== '',
      ),
  )
}

function errorIn(chunk: ChatChunk): unknown {
  if (chunk.error !== undefined && chunk.error !== null) return chunk.error
  if (chunk.choices?.some(choice => choice.finish_reason === 'error')) return 'The model stopped with an error.'
  // vLLM and some web frameworks send the error object itself as the event.
  if (chunk.choices === undefined && (chunk.object === 'error' || 'detail' in chunk || 'message' in chunk)) {
    return chunk.detail ?? chunk
  }
  return undefined
}
