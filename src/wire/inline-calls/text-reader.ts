import type { ChatChunk, ChatCompletion, ToolCall, ToolCallDelta } from '../chat/schema.ts'
import { partFromChunks, type StreamPart } from '../stream-part.ts'
import type { InlineCall } from './dialects.ts'

/** What a segment of a model's text turned out to be. */
export type TextSegment = { content: string } | { reasoning: string } | { call: InlineCall }

/** Classifies the streamed text of one choice. A pure state machine. */
export interface TextReader {
  push(text: string): TextSegment[]
  /** Ends the text. `whole`: the model stopped by itself, so nothing is truncated. */
  end(whole: boolean): TextSegment[]
  /** The server itself separated reasoning or calls: from here on its text is taken as it is. */
  served(what: 'reasoning' | 'calls'): TextSegment[]
  /** Whether everything that follows is content, unchanged. */
  settled(): boolean
}

/** Reads with `first`, then reads what that classified as content with `second`. */
export function inTurn(first: TextReader, second: TextReader): TextReader {
  const onward = (segments: readonly TextSegment[]) =>
    segments.flatMap(each => ('content' in each ? second.push(each.content) : [each]))
  return {
    push: text => onward(first.push(text)),
    end: whole => [...onward(first.end(whole)), ...second.end(whole)],
    served: what => [...onward(first.served(what)), ...second.served(what)],
    settled: () => first.settled() && second.settled(),
  }
}

/** How the text of an answer is read. */
export interface TextReading {
  /** Maximum number of choices in the answer. */
  choices: number
  createReader: () => TextReader
  /** Generates an id for a call that has none. */
  newId: () => string
}

/**
 * Moves inline reasoning and calls in a stream to their own fields. Parts that need no change pass through as they are,
 * and once every reader has settled the stream is no longer inspected.
 */
export function parseInlineStream(
  parts: AsyncGenerator<StreamPart, void, void>,
  reading: TextReading,
): AsyncGenerator<StreamPart, void, void> {
  const stream = createPartRewriter(reading)
  const rewritten = async (part: StreamPart): Promise<StreamPart | undefined> => {
    try {
      return stream.rewrite(part)
    } catch (error) {
      await parts.return()
      throw error
    }
  }
  const parsed = async (): Promise<IteratorResult<StreamPart, void>> => {
    for (;;) {
      const next = await parts.next()
      if (next.done === true) return next
      const part = await rewritten(next.value)
      if (part !== undefined) return { done: false, value: part }
    }
  }
  return {
    // Not an async generator: that would add a wait per part to every stream, most of which need no change.
    next: () => (stream.settled() ? parts.next() : parsed()),
    return: () => parts.return(),
    throw: error => parts.throw(error),
    [Symbol.asyncIterator]() {
      return this
    },
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  }
}

function createPartRewriter({ choices, createReader, newId }: TextReading) {
  const open = new Map<number, ChoiceStream>()
  let settled = false

  const rewriteChunk = (chunk: ChatChunk): ChatChunk[] | undefined => {
    if (!chunk.choices?.some(choice => choice.delta !== undefined)) return undefined
    const pieces = chunk.choices.map(choice => {
      const stream = open.get(choice.index) ?? createChoiceStream(createReader(), newId)
      open.set(choice.index, stream)
      return stream.rewrite(choice)
    })
    if (pieces.every(piece => piece === undefined)) return undefined
    const { usage, ...rest } = chunk
    const written = pieces.flatMap((piece, position) => piece ?? [chunk.choices![position]!])
    const chunks: ChatChunk[] = written.map(choice => ({ ...rest, choices: [choice] }))
    const last = chunks.at(-1)
    if (usage !== undefined && last !== undefined) last.usage = usage
    else if (usage) chunks.push({ ...rest, choices: [], usage })
    return chunks
  }

  return {
    settled: () => settled,
    /** The replacement for a part; undefined where all of it is held back. */
    rewrite(part: StreamPart): StreamPart | undefined {
      const rewritten = part.chunks.map(rewriteChunk)
      settled = open.size >= choices && [...open.values()].every(stream => stream.settled())
      if (rewritten.every(chunks => chunks === undefined)) return part
      const chunks = rewritten.flatMap((chunks, position) => chunks ?? [part.chunks[position]!])
      return chunks.length === 0 ? undefined : partFromChunks(chunks)
    },
  }
}

/**
 * Moves inline reasoning and calls in a buffered response to their own fields; returns the same object where there are
 * none.
 */
export function parseInlineCompletion(
  completion: ChatCompletion,
  { createReader, newId }: TextReading,
): ChatCompletion {
  let changed = false
  const choices = completion.choices.map(choice => {
    const { message, finish_reason: reason } = choice
    if (typeof message.content !== 'string' || message.content === '') return choice
    const reader = createReader()
    if (thinks(message)) reader.served('reasoning')
    if ((message.tool_calls?.length ?? 0) > 0) reader.served('calls')
    const segments = [...reader.push(message.content), ...reader.end(!cutOff.has(reason))]
    if (segments.every(each => 'content' in each)) return choice
    changed = true
    const content = segments.map(each => ('content' in each ? each.content : '')).join('')
    const reasoning = segments.map(each => ('reasoning' in each ? each.reasoning : '')).join('')
    const calls = segments
      .flatMap(each => ('call' in each ? [each.call] : []))
      .map((call): ToolCall => ({ id: newId(), type: 'function', function: { ...call } }))
    return {
      ...choice,
      message: {
        ...message,
        content: calls.length > 0 && content.trim() === '' ? null : content,
        ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
      finish_reason: calls.length > 0 ? reasonOf(reason) : reason,
    }
  })
  return changed ? { ...completion, choices } : completion
}

/** Finish reasons of a truncated answer. */
const cutOff: ReadonlySet<string | null> = new Set(['length', 'content_filter'])

type Choice = NonNullable<ChatChunk['choices']>[number]

interface ChoiceStream {
  /** The replacement for a choice; undefined where it stays as it is. */
  rewrite(choice: Choice): Choice[] | undefined
  settled(): boolean
}

function createChoiceStream(reader: TextReader, newId: TextReading['newId']): ChoiceStream {
  let calls = 0

  const deltaOf = (segments: TextSegment): Choice['delta'] => {
    if ('content' in segments) return { content: segments.content }
    if ('reasoning' in segments) return { reasoning_content: segments.reasoning }
    const index = calls
    calls += 1
    return { tool_calls: [{ index, id: newId(), type: 'function', function: { ...segments.call } }] }
  }

  return {
    rewrite(choice) {
      const { delta, finish_reason: reason } = choice
      const { content, ...rest } = delta ?? {}
      const ended = typeof reason === 'string'
      const held = [
        ...(thinks(rest) ? reader.served('reasoning') : []),
        ...((rest.tool_calls?.length ?? 0) > 0 ? reader.served('calls') : []),
      ]
      const said = typeof content === 'string' && content !== '' ? reader.push(content) : []
      const segments = [...said, ...(ended ? reader.end(!cutOff.has(reason)) : [])]
      const same = held.length === 0 && (segments.length === 0 ? !content : isOnly(segments, content)) && calls === 0
      if (same) return undefined
      const first = Object.keys(rest).length > 0 ? [shifted(rest, calls)] : []
      const deltas = [...held.map(deltaOf), ...first, ...segments.map(deltaOf)]
      if (ended && deltas.length === 0) deltas.push({})
      return deltas.map((delta, position) => {
        const last = ended && position === deltas.length - 1
        return { ...choice, delta, finish_reason: last ? (calls > 0 ? reasonOf(reason) : reason) : null }
      })
    },
    settled: () => reader.settled() && calls === 0,
  }
}

function isOnly(segments: readonly TextSegment[], content: unknown): boolean {
  const [first] = segments
  return segments.length === 1 && first !== undefined && 'content' in first && first.content === content
}

/** The server's own calls come after the inline ones found before. */
function shifted(delta: Choice['delta'], calls: number): Choice['delta'] {
  if (calls === 0 || !delta.tool_calls) return delta
  return {
    ...delta,
    tool_calls: delta.tool_calls.map((call: ToolCallDelta) => ({ ...call, index: call.index + calls })),
  }
}

function thinks({
  reasoning_content: words,
  reasoning,
}: {
  reasoning_content?: unknown
  reasoning?: unknown
}): boolean {
  return [words, reasoning].some(text => typeof text === 'string' && text !== '')
}

/** An answer that calls tools does not finish with `stop`; a limit or a filter keeps its finish reason. */
function reasonOf(reason: string | null): string | null {
  return reason === 'stop' || reason === null ? 'tool_calls' : reason
}
