import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { isObject } from '../../src/json.ts'
import type { TextSegment, TextReader } from '../../src/wire/inline-calls/text-reader.ts'
import type { Offered, InlineCall } from '../../src/wire/inline-calls/dialects.ts'
import { answerTexts } from '../fuzz/adversarial-texts.ts'
import { createInlineCallReader } from '../../src/wire/inline-calls/call-reader.ts'
import { jsonObject } from './answers.ts'

const names = ['read_file', 'apply-patch', 'mcp__files__list']
const offered: Offered = new Map(names.map(name => [name, {}]))

/** The text in pieces, cut where `cut` says. */
function segmentsBy(
  reader: TextReader,
  text: string,
  cut: () => number = () => text.length,
  whole = true,
): TextSegment[] {
  const meant: TextSegment[] = []
  for (let index = 0; index < text.length;) {
    const length = Math.max(1, cut())
    meant.push(...reader.push(text.slice(index, index + length)))
    index += length
  }
  return [...meant, ...reader.end(whole)]
}

function readCalls(text: string, cut?: () => number, whole?: boolean): { content: string; calls: InlineCall[] } {
  const meant = segmentsBy(createInlineCallReader(offered), text, cut, whole)
  return {
    content: meant.map(each => ('content' in each ? each.content : '')).join(''),
    calls: meant.flatMap(each => ('call' in each ? [each.call] : [])),
  }
}

const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }).map(lengths => {
  let next = 0
  return () => lengths[next++ % lengths.length]!
})
const calls = fc.array(fc.record({ name: fc.constantFrom(...names), input: jsonObject }), {
  minLength: 1,
  maxLength: 3,
})
type Calls = { name: string; input: Record<string, unknown> }[]

const tagged = ({ name, input }: Calls[number], field = 'arguments') => JSON.stringify({ name, [field]: input })

/** Each family's call format, from its own description. */
const writers: Record<string, (calls: Calls) => string> = {
  'Hermes and Qwen': calls => calls.map(call => `<tool_call>\n${tagged(call)}\n</tool_call>`).join('\n'),
  'Hermes without the last tag': calls => calls.map(call => `<tool_call>${tagged(call)}`).join('\n'),
  'Llama with its tag': calls => `<|python_tag|>${calls.map(call => tagged(call, 'parameters')).join('; ')}<|eom_id|>`,
  'Llama named function': calls =>
    calls.map(({ name, input }) => `<function=${name}>${JSON.stringify(input)}</function>`).join('\n'),
  'Mistral list': calls => `[TOOL_CALLS] [${calls.map(call => tagged(call)).join(', ')}]`,
  'Mistral names': calls =>
    calls.map(({ name, input }) => `[TOOL_CALLS]${name}[ARGS]${JSON.stringify(input)}`).join(''),
  'Mistral names and ids': calls =>
    calls
      .map(({ name, input }, index) => `[TOOL_CALLS]${name}[CALL_ID]a${index}[ARGS]${JSON.stringify(input)}`)
      .join(''),
  'DeepSeek V3': calls =>
    `<｜tool▁calls▁begin｜>${calls
      .map(
        ({ name, input }) =>
          `<｜tool▁call▁begin｜>function<｜tool▁sep｜>${name}\n\`\`\`json\n${JSON.stringify(input)}\n\`\`\`<｜tool▁call▁end｜>`,
      )
      .join('\n')}<｜tool▁calls▁end｜>`,
  'DeepSeek V3.1': calls =>
    `<｜tool▁calls▁begin｜>${calls
      .map(({ name, input }) => `<｜tool▁call▁begin｜>${name}<｜tool▁sep｜>${JSON.stringify(input)}<｜tool▁call▁end｜>`)
      .join('')}<｜tool▁calls▁end｜>`,
}

for (const [dialect, write] of Object.entries(writers)) {
  t.test(`calls in the words of ${dialect} are calls, whatever their arguments and wherever they are cut`, async () => {
    fc.assert(
      fc.property(calls, fc.constantFrom('', 'I will look.\n\n'), cuts, (made, before, cut) => {
        const { content, calls } = readCalls(before + write(made), cut)
        assert.equal(content, before)
        const expected = made.map(({ name, input }) => ({ name, arguments: JSON.stringify(input) }))
        assert.deepEqual(calls, expected)
      }),
    )
  })
}

for (const [shape, write] of [
  ['a bare object', (call: string) => call],
  ['an object between fences', (call: string) => `\`\`\`json\n${call}\n\`\`\`\n`],
] as const) {
  t.test(`${shape} that is a call and all there is, is a call`, async () => {
    fc.assert(
      fc.property(calls, fc.constantFrom('arguments', 'parameters'), cuts, ([first], field, cut) => {
        const { name, input } = first!
        const read = readCalls(write(tagged(first!, field)), cut)
        assert.deepEqual(read, { content: '', calls: [{ name, arguments: JSON.stringify(input) }] })
        const explained = `${write(tagged(first!, field))} would be such a call.`
        assert.deepEqual(readCalls(explained, cut), { content: explained, calls: [] })
      }),
    )
  })
}

/** Values by the type that a tool declares; values that the format itself cannot carry are left out. */
const parameters = {
  text: fc.string({ unit: 'grapheme' }).filter(text => !text.includes('</parameter>')),
  lines: fc.constantFrom('a\nb\n', '\n', '', '  x', '5', 'True', '<function=x>', '{"a":1}'),
  count: fc.integer(),
  share: fc.double({ noNaN: true, noDefaultInfinity: true }).filter(number => !Object.is(number, -0)),
  on: fc.boolean(),
  list: fc.array(fc.integer(), { maxLength: 3 }),
  nested: jsonObject.filter(value => !JSON.stringify(value).includes('</parameter>')),
}
const declared: Record<keyof typeof parameters, string> = {
  text: 'string',
  lines: 'string',
  count: 'integer',
  share: 'number',
  on: 'boolean',
  list: 'array',
  nested: 'object',
}
const coderTools: Offered = new Map([
  [
    'edit',
    {
      type: 'object',
      properties: Object.fromEntries(Object.entries(declared).map(([name, type]) => [name, { type }])),
    },
  ],
])

t.test('a call in Qwen3-Coder’s tags has each parameter in the type that its tool declares', async () => {
  fc.assert(
    fc.property(fc.record(parameters, { requiredKeys: [] }), fc.nat(2), cuts, (input, missing, cut) => {
      const body = Object.entries(input)
        .map(
          ([name, value]) =>
            `<parameter=${name}>\n${typeof value === 'string' ? value : JSON.stringify(value)}\n</parameter>\n`,
        )
        .join('')
      const text = `${missing > 0 ? '' : '<tool_call>\n'}<function=edit>\n${body}</function>${missing > 1 ? '' : '\n</tool_call>'}`
      const meant = segmentsBy(createInlineCallReader(coderTools), text, cut)
      assert.equal(meant.length, 1)
      const [first] = meant
      assert.ok(first !== undefined && 'call' in first && first.call.name === 'edit')
      assert.deepEqual(JSON.parse(first.call.arguments), JSON.parse(JSON.stringify(input)))
    }),
  )
})

const pieces = (
  '<tool_call> </tool_call> <function= read_file > <parameter=a> </parameter> </function> [TOOL_CALLS] [ARGS] ' +
  '<|python_tag|> ```json ``` {"name": "read_file" ,"arguments":{}} <｜tool▁calls▁begin｜> <｜tool▁call▁begin｜> ' +
  `<｜tool▁sep｜> <｜tool▁call▁end｜> { } " '`
).split(' ')
pieces.push(' ', '\n')
const confusing = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 5 })), { maxLength: 12 })

t.test('the result does not depend on how a text is split', async () => {
  fc.assert(
    fc.property(confusing, cuts, fc.boolean(), (parts, cut, whole) => {
      const text = parts.join('')
      assert.deepEqual(readCalls(text, cut, whole), readCalls(text, undefined, whole))
    }),
    { numRuns: 2_000 },
  )
})

t.test('only offered tools are called, and a text without calls is unchanged', async () => {
  const others: Offered = new Map([['something_else', {}]])
  fc.assert(
    fc.property(confusing, cuts, (parts, cut) => {
      const meant = segmentsBy(createInlineCallReader(others), parts.join(''), cut)
      assert.equal(meant.map(each => ('content' in each ? each.content : '[call]')).join(''), parts.join(''))
    }),
    { numRuns: 1_000 },
  )
})

t.test('a text without openings is passed on character by character', async () => {
  const plain = fc.string({ unit: 'grapheme' }).filter(text => !/[<[`]/.test(text) && !text.trimStart().startsWith('{'))
  fc.assert(
    fc.property(fc.array(plain.filter(text => text !== '')), texts => {
      const reader = createInlineCallReader(offered)
      for (const text of texts) assert.deepEqual(reader.push(text), [{ content: text }])
      assert.deepEqual(reader.end(true), [])
    }),
  )
})

t.test('arguments are repaired only where that makes them valid JSON', async t => {
  const call = (body: string) => readCalls(`<tool_call>{"name":"read_file","arguments":${body}}</tool_call>`)
  for (const [written, meant] of [
    [`{"path": "a", "lines": [1, 2,],}`, { path: 'a', lines: [1, 2] }],
    [`{'path': 'it\\'s "a"', 'all': True, 'end': None}`, { path: 'it\'s "a"', all: true, end: null }],
    ['{"text": "one\ntwo"}', { text: 'one\ntwo' }],
  ] as const) {
    const { content, calls } = call(written)
    t.equal(content, '')
    t.same(JSON.parse(calls[0]!.arguments), meant)
  }
  t.equal(
    call('{ "big": 12345678901234567890, "one": 1.0 }').calls[0]?.arguments,
    '{ "big": 12345678901234567890, "one": 1.0 }',
  )
  const hopeless = '<tool_call>{"name":"read_file","arguments":{path: a}}</tool_call>'
  t.same(readCalls(hopeless), { content: hopeless, calls: [] })
})

t.test('missing brackets are closed at the end of an answer, but not in a truncated one', async t => {
  const text = '<tool_call>{"name":"read_file","arguments":{"path":"a"'
  t.same(readCalls(text), { content: '', calls: [{ name: 'read_file', arguments: '{"path":"a"}' }] })
  t.same(readCalls(`${text}</tool_call>`).calls, [{ name: 'read_file', arguments: '{"path":"a"}' }])
  t.same(readCalls(text, undefined, false), { content: text, calls: [] })
  const inside = text.slice(0, -2)
  t.same(readCalls(inside), { content: inside, calls: [] }, 'how the text would have continued is unknown')
})

t.test('text that may become a call is held only up to a limit', async t => {
  const reader = createInlineCallReader(offered)
  t.same(reader.push('<tool_call>{"name":"read_file","arguments":{"text":"'), [])
  let released = 0
  for (let megabytes = 0; megabytes < 3 && released === 0; megabytes += 0.25) {
    released = reader.push('x'.repeat(256 * 1024)).length
  }
  t.equal(released, 1)
})

t.test('a megabyte that looks like calls holds calls, or is passed on as it is', async t => {
  for (const [what, text] of Object.entries(answerTexts)) {
    const reader = createInlineCallReader(new Map([['weather', {}]]))
    const segments = [...reader.push(text), ...reader.end(true)]
    const content = segments.map(each => ('content' in each ? each.content : '[call]')).join('')
    t.ok(content.includes('[call]') || content === text, what)
  }
})

t.test('an answer whose openings lead nowhere is not searched for ever', async t => {
  const reader = createInlineCallReader(offered)
  const nested = '<tool_call>{"name":"read_file","arguments":{"path":"'
  let pushed = 0
  while (!reader.settled() && pushed < 100_000) {
    reader.push(`${nested}"</tool_call>`)
    pushed++
  }
  t.ok(reader.settled(), `after ${pushed} openings`)
  t.same(reader.push('<tool_call>'), [{ content: '<tool_call>' }])
})

t.test('the server’s own calls end the search', async t => {
  const reader = createInlineCallReader(offered)
  t.same(reader.push('a <tool_call>{"na'), [{ content: 'a ' }])
  t.same(reader.served('calls'), [{ content: '<tool_call>{"na' }])
  t.ok(reader.settled())
  t.ok(isObject(reader.push('<tool_call>')[0]))
})
