import { GatewayError } from '../../errors.ts'
import { isObject } from '../../json.ts'
import type { StreamPart } from '../stream-part.ts'
import type { ChatChunk, ChatCompletion, OpenAiUsage, ToolCallDelta } from './schema.ts'
import { createTextFrameReader } from './text-frames.ts'

/** A buffered response as the chunks of a stream: the message, its finish reason, and usage where known. */
export function chunksOf(completion: ChatCompletion): ChatChunk[] {
  const { choices, usage, ...rest } = completion
  const identity = { ...rest, object: 'chat.completion.chunk' }
  const chunks: ChatChunk[] = choices.flatMap(({ index, message, finish_reason, ...choice }) => {
    const { tool_calls: calls, ...delta } = message
    const numbered = calls?.map((call, index) => ({ index: index, ...call }))
    return [
      {
        ...identity,
        choices: [
          {
            ...choice,
            index,
            delta: { ...delta, ...(numbered === undefined ? {} : { tool_calls: numbered }) },
            finish_reason: null,
          },
        ],
      },
      { ...identity, choices: [{ index, delta: {}, finish_reason: finish_reason ?? 'stop' }] },
    ]
  })
  if (usage) chunks.push({ ...identity, choices: [], usage })
  return chunks
}

type Choice = ChatCompletion['choices'][number]

/** Assembles the chunks of a stream into the complete response. */
export interface CompletionFold {
  add(chunk: ChatChunk): void
  /** Adds what a part holds, without parsing each frame where it only continues a text. */
  addPart(part: StreamPart): void
  completion(): ChatCompletion
}

export function createCompletionFold(): CompletionFold {
  const texts = createTextFrameReader()
  const choices = new Map<number, Choice>()
  let identity: Record<string, unknown> = {}
  let usage: OpenAiUsage | undefined

  function add({ choices: parts, usage: reported, object: _object, ...facts }: ChatChunk): void {
    // A field missing from a chunk must not overwrite the value of an earlier one.
    identity = { ...withoutGaps(facts), ...identity }
    if (reported) usage = reported
    for (const { index, delta, finish_reason: reason, ...more } of parts ?? []) {
      const choice = choices.get(index) ?? emptyChoice(index)
      choices.set(index, choice)
      if (reason) choice.finish_reason = reason
      // `logprobs` is a list that grows; of every other field besides the delta the last value wins.
      for (const [field, value] of Object.entries(more)) choice[field] = joined(choice[field], value)
      addDelta(choice.message, delta ?? {})
    }
  }

  return {
    add,
    addPart(part) {
      const continued = part.middle && part.messages === undefined ? texts.read(part.bytes.toString()) : undefined
      for (const chunk of continued === undefined ? part.chunks : [continued]) add(chunk)
    },
    completion: () => ({
      ...identity,
      object: 'chat.completion',
      choices: [...choices.values()].sort((a, b) => a.index - b.index).map(withContent),
      ...(usage === undefined ? {} : { usage }),
    }),
  }
}

/** The longest answer that is assembled. */
const maxAnswerBytes = 64 * 1024 * 1024

/** Assembles a stream. Throws the error that ends it, or `upstream_error` beyond 64 MB, which closes it. */
export async function foldStream(parts: AsyncIterable<StreamPart>): Promise<ChatCompletion> {
  const fold = createCompletionFold()
  let bytes = 0
  for await (const part of parts) {
    bytes += (part.messages ?? part.bytes).length
    if (bytes > maxAnswerBytes)
      throw new GatewayError('upstream_error', 'The answer is longer than 64 MB; ask for less.')
    fold.addPart(part)
  }
  return fold.completion()
}

const emptyChoice = (index: number): Choice => ({
  index,
  message: { role: 'assistant', content: null },
  finish_reason: null,
})

/** Only an answer that calls tools may have no content. Half a character, of an answer that was cut, is no text. */
function withContent(choice: Choice): Choice {
  const { message } = choice
  const content = message.content ?? (message.tool_calls ? null : '')
  return { ...choice, message: { ...message, content: typeof content === 'string' ? content.toWellFormed() : content } }
}

function addDelta(message: Choice['message'], delta: Record<string, unknown>): void {
  for (const [field, value] of Object.entries(delta)) {
    if (field === 'role') message.role = String(value)
    else if (field === 'tool_calls') addToolCalls(message, (value ?? []) as ToolCallDelta[])
    else message[field] = joined(message[field], value)
  }
}

function addToolCalls(message: Choice['message'], deltas: readonly ToolCallDelta[]): void {
  const calls = (message.tool_calls ??= [])
  for (const { index, id, function: called } of deltas) {
    const call = (calls[index] ??= { id: '', type: 'function', function: { name: '', arguments: '' } })
    if (id) call.id = id
    call.function.name += called?.name ?? ''
    call.function.arguments += called?.arguments ?? ''
  }
}

/** Strings and lists of the same field are concatenated; for anything else the last value wins. */
function joined(before: unknown, value: unknown): unknown {
  if (value === null || value === undefined) return before ?? null
  if (typeof before === 'string' && typeof value === 'string') return before + value
  if (Array.isArray(before) && Array.isArray(value)) return [...(before as unknown[]), ...(value as unknown[])]
  if (isObject(before) && isObject(value)) {
    return Object.fromEntries(
      [...new Set([...Object.keys(before), ...Object.keys(value)])].map(key => [key, joined(before[key], value[key])]),
    )
  }
  return value
}

function withoutGaps(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null))
}
