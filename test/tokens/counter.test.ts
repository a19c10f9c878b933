import * as fc from 'fast-check'
import t from 'tap'
import { get_encoding } from 'tiktoken'
import { createTokenCounter } from '../../src/tokens/counter.ts'
import { prose, source } from './samples.ts'

t.test('a conversation costs its texts and four tokens a message, and three for the reply', async t => {
  const counter = createTokenCounter()
  const of = (text: string) => counter.countText(text).tokens
  const messages = [
    { role: 'system', content: prose },
    { role: 'user', content: [{ type: 'text', text: source }, 'and a plain string'], name: 'ada' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'x', function: { name: 'read', arguments: '{"path":"a.ts"}' } }],
    },
    { role: 'tool', tool_call_id: 'x', content: '' },
  ]
  const texts = [prose, source, 'and a plain string', 'ada', 'read', '{"path":"a.ts"}']
  const template = 4 * messages.length + 1 + 4 + 3
  t.same(counter.countMessages(messages), {
    tokens: texts.reduce((total, text) => total + of(text), template),
    exact: true,
    error: 0,
  })
})

t.test('tools cost their JSON', async t => {
  const counter = createTokenCounter()
  const tools = [
    { type: 'function', function: { name: 'read', parameters: { type: 'object', properties: { path: {} } } } },
  ]
  const without = counter.countMessages([{ role: 'user', content: 'hi' }])
  const withTools = counter.countMessages([{ role: 'user', content: 'hi' }], tools)
  t.equal(withTools.tokens - without.tokens, 8 + counter.countText(JSON.stringify(tools)).tokens)
})

t.test('an image costs a stated number of tokens, whatever its bytes, and makes the count an estimate', async t => {
  const counter = createTokenCounter()
  const ask = (part: unknown) => counter.countMessages([{ role: 'user', content: [part] }])
  const image = ask({ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(100_000)}` } })
  t.same(image, { tokens: 7 + 765, exact: false, error: 765 / 772 })
  t.equal(ask({ type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } }).tokens, 7 + 85)
  t.equal(ask({ type: 'image', source: { type: 'base64', data: 'AAAA' } }).tokens, 7 + 765)
})

t.test('messages of any shape are counted without an error', async t => {
  const counter = createTokenCounter()
  const itself: Record<string, unknown> = { role: 'user' }
  itself.content = [itself]
  const junk: unknown[] = [null, undefined, 7, 'text', {}, [[]], [null, 3, 'a', [], itself], [{ content: { a: 1n } }]]
  for (const messages of junk) t.ok(counter.countMessages(messages, messages).tokens >= 0)
  t.match(counter.countMessages([itself]), { exact: false, error: 1 })
  const keys = fc.constantFrom(
    'role',
    'content',
    'type',
    'text',
    'name',
    'tool_calls',
    'function',
    'arguments',
    'image_url',
  )
  const strings = fc.constantFrom('user', 'text', 'image_url', 'tool_use', 'tool_result', '__proto__', 'constructor')
  const anything = fc.anything({
    key: keys,
    values: [strings, fc.string(), fc.double(), fc.bigInt(), fc.constant(null)],
    maxDepth: 5,
  })
  fc.assert(
    fc.property(anything, anything, (messages, tools) => {
      const { tokens, exact, error } = counter.countMessages([messages], [tools])
      return Number.isInteger(tokens) && tokens >= 0 && error >= 0 && error <= 1 && exact === (error === 0)
    }),
    { numRuns: 2000, seed: 1 },
  )
})

t.test('beyond its budget a count says that it is an estimate, and the truth lies within its error', async t => {
  const oracle = get_encoding('o200k_base')
  t.teardown(() => oracle.free())
  const counter = createTokenCounter({ cacheEntries: 1 })
  const paragraphs = [...prose.split('\n'), ...source.split('\n')]
  for (let seed = 1; seed <= 4; seed++) {
    const text = shuffled(paragraphs, seed, 700_000)
    const count = counter.countText(text)
    const truth = oracle.encode_ordinary(text).length
    t.equal(count.exact, false)
    t.ok(count.error > 0 && count.error < 0.1, `states ${count.error}`)
    t.ok(Math.abs(count.tokens - truth) <= count.error * count.tokens, `${count.tokens} for ${truth}, ± ${count.error}`)
  }
})

t.test('text without end is estimated within the stated error too', async t => {
  const counter = createTokenCounter()
  for (const [unit, tokensEach] of [
    ['a', 1 / 8],
    [' ', 1 / 128],
    ['漢字', 0],
    ['🙂', 1],
    ['=', 1 / 64],
  ] as const) {
    const count = counter.countText(unit.repeat(1_000_000 / unit.length))
    t.equal(count.exact, false)
    const truth = (1_000_000 / unit.length) * tokensEach
    if (tokensEach > 0)
      t.ok(Math.abs(count.tokens - truth) <= count.error * count.tokens, `${unit}: ${count.tokens} ± ${count.error}`)
  }
})

t.test('a text too long for one call becomes exact when it comes again', async t => {
  const oracle = get_encoding('o200k_base')
  t.teardown(() => oracle.free())
  const counter = createTokenCounter()
  const text = shuffled([...prose.split('\n'), ...source.split('\n')], 1, 700_000)
  const errors: number[] = []
  for (let call = 0; call < 20; call++) errors.push(counter.countText(text).error)
  t.ok(errors[0]! > 0)
  t.equal(errors.at(-1), 0)
  t.same(counter.countText(text), { tokens: oracle.encode_ordinary(text).length, exact: true, error: 0 })
})

t.test('many messages share one budget', async t => {
  const counter = createTokenCounter()
  const messages = Array.from({ length: 100 }, (_, index) => ({
    role: 'user',
    content: shuffled(source.split('\n'), index, 20_000),
  }))
  t.equal(counter.countMessages(messages.slice(0, 5)).exact, true)
  t.equal(counter.countMessages(messages).exact, false)
})

t.test('the vocabulary can be read ahead, or in the middle of that', async t => {
  const counter = createTokenCounter({ encoding: 'cl100k_base' })
  const warm = counter.warm()
  t.equal(counter.countText('Hello world').tokens, 2)
  await warm
  t.equal(counter.countText('Hello world').tokens, 2)
  counter.close()
})

/** Lines drawn at random, to a length. */
function shuffled(lines: readonly string[], seed: number, length: number): string {
  const drawn: string[] = []
  let state = seed
  for (let total = 0; total < length; total += drawn.at(-1)!.length + 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    drawn.push(lines[state % lines.length]!)
  }
  return drawn.join('\n').slice(0, length)
}

t.test('a text that differs from a cached one anywhere is counted separately', async t => {
  const counter = createTokenCounter()
  const text = source.repeat(2).slice(0, 1000)
  for (let index = 0; index < text.length; index++) {
    for (const other of ['\n', '漢', '\u0000']) {
      const changed = text.slice(0, index) + other + text.slice(index + 1)
      const longer = text.slice(0, index) + other
      counter.countText(changed)
      counter.countText(longer)
    }
  }
  const fresh = createTokenCounter({ cacheEntries: 1 })
  for (let index = 0; index < text.length; index += 7) {
    const changed = `${text.slice(0, index)}漢${text.slice(index + 1)}`
    if (counter.countText(changed).tokens !== fresh.countText(changed).tokens) t.fail(`differs at ${index}`)
  }
  t.equal(counter.countText(text).tokens, fresh.countText(text).tokens)
})
