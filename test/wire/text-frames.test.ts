import * as fc from 'fast-check'
import t from 'tap'
import { createCompletionFold } from '../../src/wire/chat/chunks.ts'
import type { ChatChunk } from '../../src/wire/chat/schema.ts'
import { partFromBytes } from '../../src/wire/stream-part.ts'
import { readData } from '../../src/wire/sse.ts'

const inAscii = (json: string) =>
  json.replaceAll(/[^ -~]/g, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** How servers write the same event. */
const writers = [
  (chunk: unknown) => JSON.stringify(chunk),
  (chunk: unknown) => inAscii(JSON.stringify(chunk)),
  (chunk: unknown) => JSON.stringify(chunk, null, 1).replaceAll('\n', ''),
]

const identity = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' }
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '"',
    '\\',
    '\\"',
    '","content":"',
    '"},"x":{"',
    '\n\n',
    'data: ',
    '\u2028',
    '\ud83d',
    '\ude00',
    '"delta"',
  ),
)
const delta = fc.oneof(
  { weight: 8, arbitrary: text.map(content => ({ content })) },
  { weight: 3, arbitrary: text.map(reasoning => ({ content: null, reasoning_content: reasoning })) },
  { weight: 2, arbitrary: text.map(content => ({ role: 'assistant', content, refusal: null })) },
  { weight: 1, arbitrary: fc.tuple(text, text).map(([content, reasoning]) => ({ content, reasoning })) },
  { weight: 1, arbitrary: fc.constantFrom({}, null, { content: 'a', notes: ['b'] }) },
)
const event: fc.Arbitrary<ChatChunk> = fc.oneof(
  { weight: 9, arbitrary: delta.map(delta => ({ ...identity, choices: [{ index: 0, delta, finish_reason: null }] })) },
  { weight: 1, arbitrary: delta.map(delta => ({ ...identity, choices: [{ index: 1, delta, finish_reason: null }] })) },
  {
    weight: 1,
    arbitrary: delta.map(delta => ({
      ...identity,
      created: 2,
      choices: [{ delta, index: 0, logprobs: { content: [] } }],
    })),
  },
  { weight: 1, arbitrary: fc.constantFrom({ ...identity, choices: [] }, { ...identity, seed: 1 }) },
) as fc.Arbitrary<ChatChunk>

t.test('frames that continue an answer fold to what their events fold to one by one', async t => {
  fc.assert(
    fc.property(
      fc.constantFrom(...writers),
      fc.array(fc.array(event, { minLength: 1, maxLength: 6 }), { maxLength: 6 }),
      (write, parts) => {
        const byParts = createCompletionFold()
        const byEvents = createCompletionFold()
        for (const events of parts) {
          const bytes = Buffer.from(events.map(chunk => `data: ${write(chunk)}\n\n`).join(''))
          byParts.addPart(partFromBytes(bytes, read, true))
          for (const chunk of read(bytes)) byEvents.add(chunk)
        }
        t.same(byParts.completion(), byEvents.completion())
      },
    ),
    { numRuns: 500, seed: 1 },
  )
})

t.test('frames that only add text are read without parsing each', async t => {
  const frame = (content: string) =>
    `data: ${JSON.stringify({ ...identity, choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`
  const fold = createCompletionFold()
  const unread = (): ChatChunk[] => {
    throw new Error('parsed')
  }
  fold.addPart(partFromBytes(Buffer.from(['He said: ', '"no"', '\n', '\\'].map(frame).join('')), unread, true))
  t.equal(fold.completion().choices[0]?.message.content, 'He said: "no"\n\\')
})

t.test('a frame that no JSON parser would accept is left to the parser', async t => {
  const whole = `data: ${JSON.stringify({ ...identity, choices: [{ index: 0, delta: { content: 'a' } }] })}\n\n`
  for (const broken of ['\\x', 'a\u0001', 'a"', '\\']) {
    const fold = createCompletionFold()
    let parsed = 0
    const count = (): ChatChunk[] => {
      parsed++
      return []
    }
    fold.addPart(partFromBytes(Buffer.from(whole + whole.replace('"a"', `"${broken}"`)), count, true))
    t.equal(parsed, 1, JSON.stringify(broken))
  }
})

function read(bytes: Buffer): ChatChunk[] {
  return readData(bytes).map(payload => {
    const chunk = JSON.parse(payload) as ChatChunk
    // As the reader of upstream frames does.
    for (const choice of chunk.choices ?? []) choice.delta ??= {}
    return chunk
  })
}
