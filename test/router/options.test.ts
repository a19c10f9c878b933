import t from 'tap'
import { readOptions } from '../../src/router/options.ts'
import { sessionKey } from '../../src/router/session.ts'
import { measure } from '../../src/router/measure.ts'
import { ChatRequest } from '../../src/wire/chat/schema.ts'

t.test('options come from headers or metadata, and a header wins', async t => {
  const headers = {
    'x-signalbox-priority': 'speed',
    'x-signalbox-local-only': 'true',
    'x-signalbox-tags': 'math, home',
  }
  const metadata = { priority: 'quality', max_cost: '0.01', min_quality: 0, verify: ['parses'], other: 1 }
  t.strictSame(readOptions(headers, metadata), {
    priority: 'speed',
    maxCostUsd: 0.01,
    minQuality: 0,
    localOnly: true,
    verify: ['parses'],
    tags: ['math', 'home'],
  })
  t.strictSame(readOptions({}, undefined), {})
})

t.test('zero is a value, not unset', async t => {
  t.strictSame(readOptions({}, { max_cost: 0 }), { maxCostUsd: 0 })
})

t.test('an invalid option is rejected by name', async t => {
  for (const [name, value] of Object.entries({
    priority: 'cheap',
    max_cost: 'ten',
    min_quality: 2,
    local_only: 'perhaps',
  })) {
    t.throws(() => readOptions({}, { [name]: value }), { code: 'invalid_request', param: name })
  }
})

t.test('a conversation keeps its key while it grows; different conversations have different keys', async t => {
  const talk = (...contents: string[]) =>
    ChatRequest.parse({
      messages: [
        { role: 'system', content: 'be brief' },
        ...contents.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content })),
      ],
    })
  t.equal(sessionKey(talk('a', 'b', 'c'), undefined), sessionKey(talk('a'), undefined))
  t.not(sessionKey(talk('b'), undefined), sessionKey(talk('a'), undefined))
  const long = 'word '.repeat(20_000)
  t.equal(sessionKey(talk(long, 'b'), undefined), sessionKey(talk(long), undefined))
  for (const other of [`${long}x`, `${long.slice(0, -1)}x`, `x${long.slice(1)}`]) {
    t.not(sessionKey(talk(other), undefined), sessionKey(talk(long), undefined))
  }
  t.equal(sessionKey(talk('a'), 'mine'), sessionKey(talk('b'), 'mine'))
  t.equal(sessionKey({ ...talk('a'), prompt_cache_key: 'k' }, undefined), 'cache:k')
  t.equal(sessionKey(ChatRequest.parse({ messages: [{ role: 'system', content: 'x' }] }), undefined), undefined)
})

t.test('a request is classified by depth, language and kind of work; the caller’s tag sets the kind', async t => {
  const request = ChatRequest.parse({
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: [{ type: 'text', text: 'Fix this bug:\n```python\ndef f(x):\n  return x +\n```' }] },
    ],
  })
  const count = { tokens: 40, exact: true, error: 0 }
  const measured = measure(request, count)
  t.match(measured, { depth: 3, language: 'python', promptTokens: 40, exact: true })
  // An easy bug is like an exercise for the most part, and like those of code bases for the rest.
  const { bug_fixing = 0, programming = 0, ...others } = measured.categories
  t.ok(bug_fixing > 0.1 && bug_fixing + programming > 0.6, JSON.stringify(others))
  t.strictSame(measure(request, count, undefined, ['urgent', 'math']).categories, { math: 1 })
})
