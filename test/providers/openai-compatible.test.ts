import t, { type Test } from 'tap'
import { conformance } from './conformance.ts'
import { readStream } from '../helpers/read-stream.ts'
import { type Answer, gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startProvider } from '../helpers/start-provider.ts'

conformance(t, 'openai-compatible')

const chunk = (delta: object, reason: string | null = null, more: object = {}) =>
  JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: reason }], ...more })
const events = (...payloads: string[]) => payloads.map(payload => `data: ${payload}\n\n`)
const raw = (body: string | readonly string[], type = 'text/event-stream', status = 200): Answer => ({
  raw: { status, headers: { 'content-type': type }, body },
})

async function streamed(t: Test, answer: Answer) {
  const upstream = await scriptedUpstream(t, 'openai-compatible', { answer })
  const { stream } = await startProvider(t, upstream)
  return readStream(await stream())
}

t.test('forwards unknown fields, replaces the model and requests a stream with usage', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible')
  const { complete, stream } = await startProvider(t, upstream)
  await complete({ model: 'auto', models: ['a', 'b'], top_k: 7, guided: { regex: 'x' }, user: 'me' })
  await readStream(await stream({ stream_options: { include_usage: false, more: 1 } }))
  t.match(upstream.chats[0]!.body, { model: 'scripted', top_k: 7, guided: { regex: 'x' }, user: 'me' })
  t.match(upstream.chats[0]!.body, { stream: true, stream_options: { include_usage: true } })
  t.same(upstream.chats[1]!.body.stream_options, { include_usage: true, more: 1 })
})

t.test('accepts a stream without [DONE]', async t => {
  const { completion, failure } = await streamed(t, { text: ['a', 'b'], done: false })
  t.equal(failure, undefined)
  t.match(completion.choices, [{ message: { content: 'ab' }, finish_reason: 'stop' }])
})

t.test('accepts a stream without a finish reason and gives it one', async t => {
  const answered = await streamed(t, { text: ['a', 'b'], finishReason: 'none' })
  t.equal(answered.failure, undefined)
  t.match(answered.completion.choices, [{ message: { content: 'ab' }, finish_reason: 'stop' }])
  const { completion } = await streamed(t, { toolCalls: [{ name: 'f', arguments: {} }], finishReason: 'none' })
  t.equal(completion.choices[0]?.finish_reason, 'tool_calls')
})

t.test('does not take a stream for whole that just ends', async t => {
  const { completion, failure } = await streamed(t, { text: ['a', 'b'], finishReason: 'none', done: false })
  t.match(failure, { code: 'upstream_error', message: /before the answer was complete/ })
  t.match(completion.choices, [{ message: { content: 'ab' }, finish_reason: null }])
})

t.test('accepts usage wherever it comes', async t => {
  const usage = { promptTokens: 31, outputTokens: 8, cachedTokens: 20 }
  for (const usageIn of ['last', 'finish', 'every'] as const) {
    const { completion } = await streamed(t, { text: 'x', usage, usageIn })
    t.match(completion.usage, { prompt_tokens: 31, prompt_tokens_details: { cached_tokens: 20 } }, usageIn)
  }
  const { completion, failure } = await streamed(t, { text: 'x', usageIn: 'nowhere' })
  t.equal(failure, undefined)
  t.equal(completion.usage, undefined, 'unreported usage is not invented')
})

t.test('accepts JSON in answer to a stream request', async t => {
  const toolCalls = [
    { name: 'f', arguments: { a: 1 } },
    { name: 'g', arguments: {} },
  ]
  for (const answer of [{ text: 'whole', writeBytes: 3 }, { toolCalls }] as const) {
    const { completion, chunks, failure } = await streamed(t, { ...answer, registerRoute: 'json' })
    t.equal(failure, undefined)
    t.match(completion.usage, { prompt_tokens: 12, completion_tokens: 5 })
    t.match(chunks[0], { object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant' } }] })
    const message = completion.choices[0]?.message
    if ('text' in answer) t.equal(message?.content, 'whole')
    else
      t.match(
        message?.tool_calls?.map(call => call.function),
        [{ name: 'f', arguments: '{"a":1}' }, { name: 'g' }],
      )
  }
})

t.test('accepts a stream in answer to a plain request', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    answer: [
      { reasoning: 'hm', text: ['a', 'b'], registerRoute: 'stream', comments: ['waiting'] },
      { toolCalls: [{ name: 'f', arguments: { x: 'ü' } }], registerRoute: 'stream', lineEnd: '\r\n', done: false },
    ],
  })
  const { complete } = await startProvider(t, upstream)
  t.match(await complete(), {
    object: 'chat.completion',
    choices: [{ message: { role: 'assistant', content: 'ab', reasoning_content: 'hm' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12 },
  })
  t.match(await complete(), {
    choices: [{ message: { tool_calls: [{ function: { name: 'f', arguments: '{"x":"ü"}' } }] } }],
  })
})

t.test('drops comments and passes middle frames through unchanged', async t => {
  const spaced = `data:  {"id":"c", "choices": [{"index": 0, "delta": {"content": "odd"}, "finish_reason": null}]}\n\n`
  const { bytes, completion, failure } = await streamed(
    t,
    raw([
      ': OPENROUTER PROCESSING\n\n',
      ...events(chunk({ content: 'a' })),
      spaced,
      ': again\n\n',
      ...events(chunk({}, 'stop'), '[DONE]'),
    ]),
  )
  t.equal(failure, undefined)
  t.equal(completion.choices[0]?.message.content, 'aodd')
  t.ok(bytes.includes(spaced), 'not rebuilt')
  t.notMatch(bytes, /^:/m)
})

t.test('recognizes every form of error under status 200', async t => {
  const open = chunk({ role: 'assistant', content: 'a' })
  const errors: [string, string, string][] = [
    ['an error object', events(open, '{"error":{"message":"broke","code":500}}').join(''), 'upstream_error'],
    ['an error text', events(open, '{"error":"broke"}').join(''), 'upstream_error'],
    ['an error event', `${events(open).join('')}event: error\ndata: {"message":"broke"}\n\n`, 'upstream_error'],
    ['a detail', events(open, '{"detail":"broke"}').join(''), 'upstream_error'],
    [
      'an error as the chunk',
      events(open, '{"object":"error","message":"broke","code":400}').join(''),
      'upstream_rejected',
    ],
    [
      'a finish reason',
      events(open, chunk({ content: '' }, 'error', { error: { message: 'broke', code: 'server_error' } })).join(''),
      'upstream_error',
    ],
    ['a rate limit', events(open, '{"error":{"message":"broke","code":429}}').join(''), 'upstream_rate_limited'],
    [
      'an overflow',
      events(open, '{"error":{"message":"broke","type":"exceed_context_size_error"}}').join(''),
      'context_length_exceeded',
    ],
    ['no JSON', events(open, '{"broke').join(''), 'upstream_error'],
  ]
  for (const [name, body, code] of errors) {
    const { completion, failure } = await streamed(t, raw(body))
    t.match(failure, { name: 'GatewayError', code }, name)
    t.equal(completion.choices[0]?.message.content, 'a', `${name} does not swallow what came before`)
  }
  const { failure } = await streamed(t, raw(events(chunk({ content: '' }, 'error'))))
  t.match(failure, { code: 'upstream_error' }, 'a finish reason alone')
})

t.test('treats an error body under status 200 as an error', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    answer: [
      raw('{"error":{"code":402,"message":"no credits"}}', 'application/json'),
      raw('{"error":{"code":429,"message":"slow"}}', 'application/json'),
      raw('{"detail":"what?"}', 'application/json'),
      raw('{"choices":[]}', 'application/json'),
      raw('<html><title>Welcome to the hotel</title></html>', 'text/html'),
      raw(
        '{"choices":[{"index":0,"message":{"content":""},"finish_reason":"error","error":{"message":"died","code":502}}]}',
      ),
    ],
  })
  const { complete } = await startProvider(t, upstream)
  for (const code of [
    'upstream_payment_required',
    'upstream_rate_limited',
    'upstream_error',
    'upstream_error',
    'upstream_error',
    'upstream_error',
  ]) {
    await t.rejects(complete(), { name: 'GatewayError', code })
  }
  for (const body of [
    '{"error":{"code":402,"message":"no credits"}}',
    ' {"error":{"code":402,"message":"no credits"}}',
  ]) {
    t.match((await streamed(t, raw(body))).failure, { code: 'upstream_payment_required' })
  }
  t.match((await streamed(t, raw('<html></html>'))).failure, { code: 'upstream_error' })
})

t.test('does not accept an empty stream as an answer', async t => {
  for (const body of ['', '\n\n', events('[DONE]'), events(chunk({ role: 'assistant', content: '' }))]) {
    t.match((await streamed(t, raw(body))).failure, { code: 'upstream_error', message: /without an answer/ })
  }
  const { failure } = await streamed(t, raw(events(chunk({ role: 'assistant' }), chunk({}, 'stop'), '[DONE]')))
  t.equal(failure, undefined, 'an answer may be empty if its server marks it as complete')
})

t.test('does not hang on events without separators', async t => {
  const lines = [chunk({ content: 'a' }), '[DONE]'].map(payload => `data: ${payload}\n`)
  t.match((await streamed(t, raw(`${lines.join('')}\n`))).failure, { code: 'upstream_error' })
})

t.test('ends with [DONE], whatever the server sends after it', async t => {
  const { completion, failure, bytes } = await streamed(
    t,
    raw(events(chunk({ content: 'a' }, 'stop'), '[DONE]', chunk({ content: 'ghost' })).join('')),
  )
  t.equal(failure, undefined)
  t.equal(completion.choices[0]?.message.content, 'a')
  t.notMatch(bytes, /ghost/)
})

t.test('adds what agents need to tool calls', async t => {
  const calls = (...tool_calls: object[]) => chunk({ tool_calls })
  const { completion, failure } = await streamed(
    t,
    raw(
      events(
        calls({ function: { name: 'f', arguments: '{"a"' } }),
        calls({ function: { arguments: ':1}' } }),
        calls({ function: { name: 'g', arguments: { b: 2 } } }),
        chunk({}, 'tool_calls'),
      ),
    ),
  )
  t.equal(failure, undefined)
  t.match(completion.choices[0]?.message.tool_calls, [
    { id: /^\w{9}$/, type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
    { id: /^\w{9}$/, type: 'function', function: { name: 'g', arguments: '{"b":2}' } },
  ])
  const sameIndex = await streamed(
    t,
    raw(
      events(
        calls({ index: 0, id: 'one', type: 'function', function: { name: 'f', arguments: '{}' } }),
        calls({ index: 0, id: 'two', type: 'function', function: { name: 'f', arguments: '{}' } }),
        chunk({}, 'tool_calls'),
      ),
    ),
  )
  t.match(sameIndex.completion.choices[0]?.message.tool_calls, [{ id: 'one' }, { id: 'two' }])
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    answer: raw(
      JSON.stringify({
        choices: [
          { index: 0, message: { content: null, tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }] } },
        ],
      }),
      'application/json',
    ),
  })
  const { complete } = await startProvider(t, upstream)
  t.match((await complete()).choices, [
    {
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ id: /^\w{9}$/, type: 'function', function: { arguments: '{"a":1}' } }] },
    },
  ])
})

t.test('reads the model lists of vLLM, clouds and bare arrays', async t => {
  const lists: [unknown, object[]][] = [
    [{ data: [{ id: 'a', max_model_len: 4096 }] }, [{ name: 'a', contextTokens: 4096 }]],
    [{ data: [{ id: 'a', context_window: '8192' }] }, [{ name: 'a', contextTokens: 8192 }]],
    [[{ id: 'a', context_length: 100 }], [{ name: 'a', contextTokens: 100 }]],
    [{ data: [{ id: 'a' }] }, [{ name: 'a', contextTokens: undefined }]],
  ]
  for (const [json, models] of lists) {
    const upstream = await scriptedUpstream(t, 'openai-compatible', { route: () => ({ json }) })
    const { provider } = await startProvider(t, upstream)
    t.match(provider.models(), models)
  }
})

t.test('is free on this machine and has the configured price elsewhere', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible', { models: ['a', 'b'] })
  const { provider } = await startProvider(t, upstream)
  t.match(provider.models(), [
    { tier: 'local', free: true, price: { input: 0 } },
    { tier: 'local', free: true },
  ])
  const { provider: remote } = await startProvider(t, upstream, {
    endpoint: { tier: 'remote', prices: { a: { input: 1, output: 2 } } },
  })
  t.match(remote.models(), [
    { tier: 'remote', free: false, price: { input: 1, output: 2 } },
    { tier: 'remote', free: false, price: undefined },
  ])
})

t.test('serves the models that have a price where the server has no list', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible', { route: () => ({ status: 404, json: {} }) })
  const { provider } = await startProvider(t, upstream, { endpoint: { prices: { a: { input: 1, output: 2 } } } })
  t.match(provider.health(), { state: 'up' })
  t.match(provider.models(), [{ name: 'a', price: { input: 1, output: 2 } }])
  const { provider: unknown } = await startProvider(t, upstream)
  t.match(unknown.health(), { state: 'down', reason: /404/ })
})

t.test('reads a bounded part of an error response and quotes less', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    answer: raw(
      Array.from({ length: 20 }, () => 'very long '.repeat(1000)),
      'text/plain',
      500,
    ),
  })
  const { complete } = await startProvider(t, upstream)
  const failure = (await complete().catch((error: unknown) => error)) as Error
  t.match(failure, { code: 'upstream_error' })
  t.match(failure.message, /very long/)
  t.ok(failure.message.length < 700)
})

t.test('does not buffer an endless answer', async t => {
  const megabyte = ' '.repeat(1024 * 1024)
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    answer: raw(
      Array.from({ length: 80 }, () => megabyte),
      'application/json',
    ),
  })
  const { complete } = await startProvider(t, upstream)
  await t.rejects(complete(), { code: 'upstream_error', message: /more than 1 MB of whitespace/ })
  await upstream.untilHangUps(1)
})

t.test('treats a redirect as a wrong address', async t => {
  const upstream = await scriptedUpstream(t, 'openai-compatible', {
    answer: { raw: { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' } },
  })
  const { complete } = await startProvider(t, upstream)
  await t.rejects(complete(), { code: 'upstream_error', message: /302.*check its address/ })
})

t.test('is down when its server does not respond for three seconds', async t => {
  const { opened, open } = gate()
  const upstream = await scriptedUpstream(t, 'openai-compatible')
  upstream.script.holdLists = opened
  const { provider } = await startProvider(t, upstream)
  t.match(provider.health(), { state: 'down', reason: /did not list its models within 3 s/ })
  open()
})
