import * as fc from 'fast-check'
import t from 'tap'
import { createChatWriter } from '../../src/wire/chat/answer.ts'
import type { ChatChunk } from '../../src/wire/chat/schema.ts'
import { readData } from '../../src/wire/sse.ts'
import { partFromBytes } from '../../src/wire/stream-part.ts'
import { jsonObject, reply } from './answers.ts'

const parse = (bytes: Buffer) => readData(bytes).map(payload => JSON.parse(payload) as ChatChunk)
const tricky = fc.constantFrom(
  '"model":"x"',
  '\\"model\\":\\"x\\"',
  '"model"',
  'model',
  '\\',
  '"',
  '{"model": "y"}',
  'ü😀',
)
const text = fc.array(fc.oneof(tricky, fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 6 })

const chunk = fc.record({
  name: fc.string({ unit: 'grapheme', maxLength: 10 }),
  words: text.map(pieces => pieces.join('')),
  more: jsonObject,
})

t.test('of the chunks that pass through only the model’s name is another', async t => {
  const written = fc.array(chunk, { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(written, fc.boolean(), fc.string({ unit: 'grapheme', minLength: 1 }), (chunks, spaced, model) => {
      const payloads = chunks.map(({ name, words, more }) => ({
        id: 'a',
        object: 'chat.completion.chunk',
        created: 1,
        model: name,
        choices: [{ index: 0, delta: { content: words, arguments: JSON.stringify(more) }, finish_reason: null }],
      }))
      const frames = payloads.map(payload => {
        const json = JSON.stringify(payload)
        return `data: ${spaced ? json.replace('"model":', '"model" : ') : json}\n\n`
      })
      const writer = createChatWriter({ ...reply, model }, { usage: true }, 'chat.completion.chunk')
      const out = writer.push(partFromBytes(Buffer.from(frames.join('')), parse))
      t.same(
        parse(out),
        payloads.map(payload => ({ ...payload, model })),
      )
    }),
  )
})
