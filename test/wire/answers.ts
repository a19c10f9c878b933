import * as fc from 'fast-check'
import type { ChatChunk, ChatCompletion } from '../../src/wire/chat/schema.ts'
import type { ReplyFacts } from '../../src/wire/protocol.ts'
import { gatherDetail, type ReasoningDetail } from '../../src/wire/chat/reasoning-details.ts'

export const reply: ReplyFacts = {
  id: 'r1',
  model: 'some-model',
  createdSeconds: 1_700_000_000,
  promptTokens: 12,
  timing: { waitedMs: 2, promptMs: 30, elapsedMs: () => 132 },
}

/** A model's answer, independent of the protocol. */
export interface Answer {
  thoughts: { text: string; signature?: string; secret?: string }[]
  text: string
  calls: { id: string; name: string; input: Record<string, unknown> }[]
  finish: 'stop' | 'length' | 'tool_calls' | 'content_filter'
  usage: { prompt: number; cached: number; written: number; output: number; reasoning: number }
}

export const words = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' })

/** JSON that survives a round trip: no -0, no undefined. */
export const jsonObject = fc
  .dictionary(
    fc.string({ maxLength: 8 }).filter(key => key !== '__proto__'),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 4 },
  )
  .map(value => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)

const thought = fc.record({ text: words, signature: fc.base64String({ minLength: 4, maxLength: 40 }) })
const secretThought = fc.record({ text: fc.constant(''), secret: fc.base64String({ minLength: 4, maxLength: 40 }) })

const call = fc.record({ name: fc.constantFrom('read', 'write', 'run'), input: jsonObject })

export const answers: fc.Arbitrary<Answer> = fc
  .record({
    thoughts: fc.array(fc.oneof(thought, secretThought), { maxLength: 3 }),
    text: fc.oneof(fc.constant(''), words),
    calls: fc.array(call, { maxLength: 3 }),
    finish: fc.constantFrom('stop' as const, 'length' as const, 'content_filter' as const),
    usage: fc.record({ fresh: fc.nat(9999), cached: fc.nat(9999), written: fc.nat(9999), output: fc.nat(9999) }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ thoughts, text, calls, finish, usage, part }) => ({
    thoughts,
    text,
    calls: calls.map((made, index) => ({ ...made, id: `call_${index}` })),
    finish: calls.length > 0 && finish === 'stop' ? ('tool_calls' as const) : finish,
    usage: {
      prompt: usage.fresh + usage.cached + usage.written,
      cached: usage.cached,
      written: usage.written,
      output: usage.output,
      reasoning: Math.floor(usage.output * part),
    },
  }))

/** The answer as a chat completion whose reasoning was made by `format`. */
export function completionOf(answer: Answer, format: string): ChatCompletion {
  const details = answer.thoughts.map((thought, index) => detailOf(thought, index, format))
  const said = answer.thoughts.map(({ text }) => text).filter(text => text !== '')
  return {
    id: 'c1',
    object: 'chat.completion',
    model: 'some-model',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: answer.text,
          ...(said.length === 0 ? {} : { reasoning_content: said.join('\n\n') }),
          ...(details.length === 0 ? {} : { reasoning_details: details }),
          ...(answer.calls.length === 0 ? {} : { tool_calls: answer.calls.map(callOf) }),
        },
        finish_reason: answer.finish,
      },
    ],
    usage: {
      prompt_tokens: answer.usage.prompt,
      completion_tokens: answer.usage.output,
      total_tokens: answer.usage.prompt + answer.usage.output,
      prompt_tokens_details: {
        cached_tokens: answer.usage.cached,
        ...(answer.usage.written === 0 ? {} : { cache_write_tokens: answer.usage.written }),
      },
      completion_tokens_details: { reasoning_tokens: answer.usage.reasoning },
    },
  }
}

/** The same answer as a stream; `cut` gives the number of characters of the next text piece. */
export function chunksOf(answer: Answer, format: string, cut: () => number): ChatChunk[] {
  const deltas: Record<string, unknown>[] = [{ role: 'assistant', content: '' }]
  answer.thoughts.forEach((thought, index) => {
    const { type, text: _, signature, data } = detailOf(thought, index, format)
    for (const piece of pieces(thought.text, cut)) {
      const detail = { type, text: piece, format, index }
      deltas.push({ reasoning_content: piece, reasoning_details: [detail] })
    }
    if (signature !== undefined) deltas.push({ reasoning_details: [{ type, signature, format, index }] })
    if (data !== undefined) deltas.push({ reasoning_details: [{ type, data, format, index }] })
  })
  for (const piece of pieces(answer.text, cut)) deltas.push({ content: piece })
  answer.calls.map(callOf).forEach(({ id, type, function: { name, arguments: text } }, index) => {
    deltas.push({ tool_calls: [{ index, id, type, function: { name, arguments: '' } }] })
    for (const piece of pieces(text, cut)) deltas.push({ tool_calls: [{ index, function: { arguments: piece } }] })
  })
  const facts = { id: 'c1', object: 'chat.completion.chunk', model: 'some-model' }
  return [
    ...deltas.map(delta => ({ ...facts, choices: [{ index: 0, delta, finish_reason: null }] })),
    { ...facts, choices: [{ index: 0, delta: {}, finish_reason: answer.finish }] },
    { ...facts, choices: [], usage: completionOf(answer, format).usage! },
  ]
}

/** Assembles a stream, as simply as possible, for comparison with a buffered response. */
export function assemble(chunks: readonly ChatChunk[]): ChatCompletion {
  const details: ReasoningDetail[] = []
  const calls: { id: string; type: 'function'; function: { name: string; arguments: string } }[] = []
  let content = ''
  let choice: Record<string, unknown> = {}
  let usage: ChatCompletion['usage']
  for (const chunk of chunks) {
    usage = chunk.usage ?? usage
    for (const { delta, ...rest } of chunk.choices ?? []) {
      content += delta.content ?? ''
      for (const piece of (delta['reasoning_details'] ?? []) as ReasoningDetail[]) gatherDetail(details, piece)
      for (const { index, id, function: called } of delta.tool_calls ?? []) {
        calls[index] ??= { id: id!, type: 'function', function: { name: called!.name!, arguments: '' } }
        calls[index].function.arguments += called?.arguments ?? ''
      }
      if (rest.finish_reason != null) choice = rest
    }
  }
  const said = details.map(({ text }) => text ?? '').filter(text => text !== '')
  return {
    id: 'c1',
    object: 'chat.completion',
    model: 'some-model',
    choices: [
      {
        ...choice,
        index: 0,
        finish_reason: choice['finish_reason'] as string,
        message: {
          role: 'assistant',
          content,
          ...(said.length === 0 ? {} : { reasoning_content: said.join('\n\n') }),
          ...(details.length === 0 ? {} : { reasoning_details: details }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
      },
    ],
    ...(usage === undefined ? {} : { usage }),
  }
}

function detailOf(thought: Answer['thoughts'][number], index: number, format: string): ReasoningDetail {
  if (thought.secret !== undefined) return { type: 'reasoning.encrypted', data: thought.secret, format, index }
  const { text, signature } = thought
  return { type: 'reasoning.text', text, ...(signature === undefined ? {} : { signature }), format, index }
}

function callOf({ id, name, input }: Answer['calls'][number]) {
  return { id, type: 'function' as const, function: { name, arguments: JSON.stringify(input) } }
}

function pieces(text: string, cut: () => number): string[] {
  const found: string[] = []
  for (let index = 0; index < text.length;) {
    const length = Math.max(1, cut())
    found.push(text.slice(index, index + length))
    index += length
  }
  return found
}

/** Cut lengths, repeated for ever. */
export const cuts: fc.Arbitrary<() => number> = fc
  .array(fc.integer({ min: 1, max: 7 }), { minLength: 1 })
  .map(lengths => {
    let next = 0
    return () => lengths[next++ % lengths.length]!
  })

/** The bytes of a stream, pushed in parts of `partSize` chunks. */
export function partSizes(chunks: readonly ChatChunk[], size: number): ChatChunk[][] {
  const parts: ChatChunk[][] = []
  for (let index = 0; index < chunks.length; index += size) parts.push(chunks.slice(index, index + size))
  return parts
}
