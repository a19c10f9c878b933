import type { Test } from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { readUsage } from '../../src/wire/chat/schema.ts'
import { readStream } from '../helpers/read-stream.ts'
import { gate, scriptedUpstream, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { startProvider } from '../helpers/start-provider.ts'

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a town.',
    parameters: { type: 'object', properties: { town: { type: 'string' } }, required: ['town'] },
  },
}
const pixel = 'data:image/png;base64,iVBORw0KGgo='

/** What must hold for every kind of server, whatever it speaks. */
export function conformance(t: Test, kind: UpstreamKind): void {
  t.test('lists its models under its own name', async t => {
    const upstream = await scriptedUpstream(t, kind, { models: ['one', 'two'] })
    const { provider } = await startProvider(t, upstream)
    t.match(provider.health(), { state: 'up' })
    t.same(
      provider.models().map(({ id, provider, name }) => ({ id, provider, name })),
      ['one', 'two'].map(name => ({ id: `${kind}/${name}`, provider: kind, name })),
    )
  })

  t.test('answers a chat', async t => {
    const upstream = await scriptedUpstream(t, kind, {
      answer: { text: 'Good morning.', usage: { promptTokens: 30, outputTokens: 7 } },
    })
    const { complete } = await startProvider(t, upstream)
    const completion = await complete({ model: 'auto', temperature: 0.5 })
    t.match(completion.choices, [
      { index: 0, message: { role: 'assistant', content: 'Good morning.' }, finish_reason: 'stop' },
    ])
    t.match(readUsage(completion.usage), { inputTokens: 30, outputTokens: 7 })
    t.match(upstream.chats, [{ body: { model: 'scripted' } }])
    t.notOk('models' in upstream.chats[0]!.body, 'our own fallback list stays here')
  })

  t.test('streams a chat and reports usage even if not requested', async t => {
    const upstream = await scriptedUpstream(t, kind, {
      answer: { text: ['Good ', 'morning', '.'], usage: { promptTokens: 30, outputTokens: 7 } },
    })
    const { stream } = await startProvider(t, upstream)
    const { completion, bytes, failure } = await readStream(await stream({ models: ['auto', 'one'] }))
    t.equal(failure, undefined)
    t.match(completion.choices, [{ message: { role: 'assistant', content: 'Good morning.' }, finish_reason: 'stop' }])
    t.match(readUsage(completion.usage), { inputTokens: 30, outputTokens: 7 })
    t.notMatch(bytes, /\[DONE\]/, 'the protocol layer writes the end')
  })

  t.test('forwards every chunk at once', async t => {
    const { opened, open } = gate()
    const upstream = await scriptedUpstream(t, kind, {
      answer: { text: ['first', 'second'], hold: { before: 1, until: opened } },
    })
    const { stream } = await startProvider(t, upstream)
    let text = ''
    for await (const part of await stream()) {
      text += part.chunks.map(chunk => chunk.choices?.[0]?.delta.content ?? '').join('')
      // Opened only by having read the first piece: a provider that collects would wait here for ever.
      if (text === 'first') open()
    }
    t.equal(text, 'firstsecond')
  })

  t.test('handles one-byte reads and split characters', async t => {
    const text = ['Grüße, ', '世界 ', '👩‍👩‍👧', ' "error" data: [DONE]\n\n: no comment\r\n']
    const upstream = await scriptedUpstream(t, kind, { answer: { text, writeBytes: 1 } })
    const { stream } = await startProvider(t, upstream)
    const { completion, failure } = await readStream(await stream())
    t.equal(failure, undefined)
    t.equal(completion.choices[0]?.message.content, text.join(''))
  })

  t.test('accepts CRLF and a missing last line end', async t => {
    const upstream = await scriptedUpstream(t, kind, {
      answer: { text: ['a', 'b'], lineEnd: '\r\n', finalBlankLine: false, usage: { promptTokens: 3, outputTokens: 2 } },
    })
    const { stream } = await startProvider(t, upstream)
    const { completion, failure } = await readStream(await stream())
    t.equal(failure, undefined)
    t.equal(completion.choices[0]?.message.content, 'ab')
    t.match(readUsage(completion.usage), { inputTokens: 3, outputTokens: 2 })
  })

  t.test('reports that the output limit was reached', async t => {
    const upstream = await scriptedUpstream(t, kind, { answer: { text: 'and so', finishReason: 'length' } })
    const { complete, stream } = await startProvider(t, upstream)
    t.equal((await complete({ max_tokens: 2 })).choices[0]?.finish_reason, 'length')
    const { completion } = await readStream(await stream({ max_completion_tokens: 2 }))
    t.equal(completion.choices[0]?.finish_reason, 'length')
  })

  t.test('calls several tools in parallel, each with its own id', async t => {
    const toolCalls = [
      { name: 'weather', arguments: { town: 'Köln' } },
      { name: 'weather', arguments: { town: 'Oslo', days: [1, 2] } },
    ]
    const upstream = await scriptedUpstream(t, kind, { answer: { toolCalls } })
    const { complete, stream } = await startProvider(t, upstream)
    const request = { tools: [weather], tool_choice: 'auto', parallel_tool_calls: true }
    const whole = await complete(request)
    const { completion, chunks } = await readStream(await stream(request))
    for (const answer of [whole, completion]) {
      t.equal(answer.choices[0]?.finish_reason, 'tool_calls')
      t.same(
        answer.choices[0]?.message.tool_calls?.map(call => JSON.parse(call.function.arguments) as unknown),
        toolCalls.map(call => call.arguments),
      )
      t.equal(new Set(answer.choices[0]?.message.tool_calls?.map(call => call.id)).size, 2)
    }
    const deltas = chunks.flatMap(chunk => chunk.choices?.[0]?.delta.tool_calls ?? [])
    t.match(deltas[0], { index: 0, id: /./, type: 'function', function: { name: 'weather' } })
    t.ok(deltas.every(delta => delta.index === 0 || delta.index === 1))
    t.match(upstream.chats, [{ body: { tools: [weather] } }, { body: { tools: [weather] } }])
  })

  t.test('forwards reasoning separately from the answer', async t => {
    const upstream = await scriptedUpstream(t, kind, {
      models: [{ name: 'thinker', reasoning: true }],
      answer: { reasoning: ['hm, ', 'well'], text: 'Yes.' },
    })
    const { complete, stream } = await startProvider(t, upstream)
    const { completion } = await readStream(await stream())
    for (const { choices } of [await complete(), completion]) {
      const message = choices[0]?.message
      t.equal(message?.reasoning_content ?? message?.reasoning, 'hm, well')
      t.equal(message?.content, 'Yes.')
    }
  })

  t.test('requests JSON and passes images', async t => {
    const upstream = await scriptedUpstream(t, kind, {
      models: [{ name: 'eyes', vision: true }],
      answer: { text: '{}' },
    })
    const { complete } = await startProvider(t, upstream)
    const schema = { type: 'object', properties: { colour: { type: 'string' } } }
    await complete({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What colour?' },
            { type: 'image_url', image_url: { url: pixel } },
          ],
        },
      ],
    })
    const sent = JSON.stringify(upstream.chats[0]!.body)
    t.match(sent, JSON.stringify(schema))
    t.match(sent, 'iVBORw0KGgo=')
  })

  t.test('frees the server at once on a disconnect before the first token', async t => {
    const { opened, open } = gate()
    const upstream = await scriptedUpstream(t, kind, { answer: { hold: { before: 'headers', until: opened } } })
    const { complete, stream } = await startProvider(t, upstream)
    const asks: ((signal: AbortSignal) => Promise<unknown>)[] = [
      signal => complete({}, { signal }),
      signal => stream({}, { signal }),
    ]
    for (const [index, ask] of asks.entries()) {
      const caller = new AbortController()
      const answer = ask(caller.signal)
      await upstream.untilChats(index + 1)
      caller.abort()
      await t.rejects(answer, { code: 'client_closed' })
      await upstream.untilHangUps(index + 1)
    }
    open()
  })

  t.test('frees the server at once on a disconnect mid-stream', async t => {
    const upstream = await scriptedUpstream(t, kind, { answer: { text: ['on ', 'and '], endless: true } })
    const { stream } = await startProvider(t, upstream)
    const caller = new AbortController()
    let chunks = 0
    const reading = (async () => {
      for await (const part of await stream({}, { signal: caller.signal })) {
        chunks += part.chunks.length
        if (chunks > 5) caller.abort()
      }
    })()
    await t.rejects(reading, { code: 'client_closed' })
    await upstream.untilHangUps(1)
  })

  t.test('frees the server when the reader stops', async t => {
    const upstream = await scriptedUpstream(t, kind, { answer: { text: ['on ', 'and '], endless: true } })
    const { stream } = await startProvider(t, upstream)
    for await (const part of await stream()) if (part.chunks.length > 0) break
    await upstream.untilHangUps(1)
    t.equal(upstream.hangUps, 1)
  })

  t.test('throws the reason of an abort that has one', async t => {
    const { opened, open } = gate()
    const upstream = await scriptedUpstream(t, kind, { answer: { hold: { before: 0, until: opened } } })
    const { stream } = await startProvider(t, upstream)
    const caller = new AbortController()
    const parts = readStream(await stream({}, { signal: caller.signal }))
    const reason = new GatewayError('upstream_timeout', 'too slow')
    caller.abort(reason)
    t.equal((await parts).failure, reason)
    open()
  })

  t.test('fails when the connection breaks before or during the answer', async t => {
    const upstream = await scriptedUpstream(t, kind, {
      answer: [{ breakBefore: 'headers' }, { breakBefore: 0 }, { text: ['a', 'b'], breakBefore: 1 }],
    })
    const { stream } = await startProvider(t, upstream)
    await t.rejects(stream(), { code: 'upstream_disconnected', message: new RegExp(String(upstream.port)) })
    t.match((await readStream(await stream())).failure, { code: 'upstream_unavailable' })
    const { completion, failure } = await readStream(await stream())
    t.equal(completion.choices[0]?.message.content, 'a', 'what came before the break is not lost')
    t.match(failure, { code: 'upstream_unavailable' })
  })

  t.test('fails when a buffered response is truncated', async t => {
    const upstream = await scriptedUpstream(t, kind, { answer: { breakBefore: 0 } })
    const { complete } = await startProvider(t, upstream)
    await t.rejects(complete(), { code: 'upstream_unavailable' })
  })

  t.test('turns an error after status 200 into a failure', async t => {
    const upstream = await scriptedUpstream(t, kind, {
      answer: { text: ['a', 'b'], errorBefore: { piece: 1, message: 'the model crashed' } },
    })
    const { stream } = await startProvider(t, upstream)
    const { completion, failure } = await readStream(await stream())
    t.equal(completion.choices[0]?.message.content, 'a')
    t.match(failure, { code: 'upstream_error' })
    t.match((failure as Error).message, /the model crashed/)
  })

  t.test('explains every error response and what to do', async t => {
    const table = [
      { status: 400, code: 'upstream_rejected' },
      { status: 401, code: 'upstream_unauthorized' },
      { status: 402, code: 'upstream_payment_required' },
      { status: 403, code: 'upstream_unauthorized' },
      { status: 404, code: 'model_not_found' },
      { status: 410, code: 'model_not_found' },
      { status: 429, code: 'upstream_rate_limited' },
      { status: 500, code: 'upstream_error' },
      { status: 503, code: 'upstream_busy' },
      { status: 504, code: 'upstream_timeout' },
    ] as const
    for (const shape of [undefined, 'openai', 'text', 'detail', 'message', 'html'] as const) {
      const upstream = await scriptedUpstream(t, kind, {
        answer: table.map(({ status }) => ({
          error: { status, message: 'because of reasons', ...(shape && { shape }) },
        })),
      })
      const { complete, model } = await startProvider(t, upstream)
      const served = model()
      for (const { status, code } of table) {
        const failure: unknown = await complete({}, { model: served }).catch((error: unknown) => error)
        t.match(failure, { name: 'GatewayError', code }, `${status} as ${shape ?? 'its own dialect'} is ${code}`)
        t.match((failure as Error).message, /because of reasons/)
      }
    }
  })

  t.test('honors Retry-After in seconds and as a date', async t => {
    const now = Date.parse('2026-01-01T00:00:00Z')
    const error = { status: 429, message: 'slow down' }
    const upstream = await scriptedUpstream(t, kind, {
      answer: [
        { error, headers: { 'retry-after': '7' } },
        { error, headers: { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' } },
        { error: { status: 503, message: 'busy' }, headers: { 'retry-after': '2' } },
      ],
    })
    const { complete } = await startProvider(t, upstream, { now: () => now })
    for (const retryAfterSeconds of [7, 30]) {
      await t.rejects(complete(), { code: 'upstream_rate_limited', retryAfterSeconds })
    }
    await t.rejects(complete(), { code: 'upstream_busy', retryAfterSeconds: 2 })
  })

  t.test('reports both numbers when a prompt is too long', async t => {
    const upstream = await scriptedUpstream(t, kind, {
      answer: {
        error: {
          status: 400,
          message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        },
      },
    })
    const { complete } = await startProvider(t, upstream)
    await t.rejects(complete(), { code: 'context_length_exceeded', message: /5000.*4096/ })
  })

  t.test('never repeats its API key, even if the server does', async t => {
    const apiKey = 'our-very-secret-0123456789'
    const upstream = await scriptedUpstream(t, kind, {
      answer: {
        error: {
          status: 401,
          message: `Incorrect API key provided: ${apiKey}. Not Bearer secret-of-others, nor sk-secret0123456789`,
        },
      },
    })
    const { complete } = await startProvider(t, upstream, { endpoint: { apiKey, apiKeyVariable: 'MY_API_KEY' } })
    const failure = (await complete().catch((error: unknown) => error)) as GatewayError
    t.equal(failure.code, 'upstream_unauthorized')
    t.match(failure.message, /MY_API_KEY/)
    t.notMatch(failure.message, /secret/)
    t.match(upstream.chats, [{ headers: { authorization: `Bearer ${apiKey}` } }])
  })

  t.test('never repeats a secret that the server quotes, whatever kind it is', async t => {
    const random = 'q7Wm3ZpX9vKt2LbR8sYd'
    const quotes = [
      [`token ghp_${random} is revoked`, random],
      ['AccessDenied for AKIAQ7WM3ZPX9VKT2LBR', 'Q7WM3ZPX9'],
      [`invalid JWT eyJhbGciOiJIUzI1NiJ9.${random}.${random}`, random],
      [`POST /v1/chat?api_key=${random} failed`, random],
      [`cannot connect to https://user:${random}@host.example/v1`, random],
      [`Incorrect API key provided: sk-${random}`, random],
    ] as const
    const upstream = await scriptedUpstream(t, kind, {
      answer: quotes.map(([message]) => ({ error: { status: 400, message } })),
    })
    const { complete } = await startProvider(t, upstream)
    for (const [message, secret] of quotes) {
      const failure = (await complete().catch((error: unknown) => error)) as GatewayError
      t.match(failure.message, /It said: ./, 'the harmless part is told')
      t.notOk(failure.message.includes(secret), message)
    }
  })

  t.test('never repeats its own key, encoded or in parts', async t => {
    const apiKey = 'our/key+0123456789?abcdef'
    const shown = [
      Buffer.from(apiKey).toString('base64'),
      Buffer.from(`user:${apiKey}`).toString('base64'),
      Buffer.from(apiKey).toString('base64url'),
      encodeURIComponent(apiKey),
      apiKey.toUpperCase(),
      `${apiKey.slice(0, 12)} ${apiKey.slice(12)}`,
      apiKey.slice(2, 18),
    ]
    const upstream = await scriptedUpstream(t, kind, {
      answer: shown.map(form => ({ error: { status: 400, message: `what is ${form} for` } })),
    })
    const { complete } = await startProvider(t, upstream, { endpoint: { apiKey } })
    for (const form of shown) {
      const { message } = (await complete().catch((error: unknown) => error)) as GatewayError
      t.match(message, /It said: what is \S+ for/)
      const parts = Array.from({ length: form.length - 7 }, (_, first) => form.slice(first, first + 8))
      t.same(
        parts.filter(part => message.includes(part)),
        [],
        form,
      )
    }
  })

  t.test('names the address and the remedy when the connection is refused', async t => {
    const upstream = await scriptedUpstream(t, kind)
    const { provider, complete, model } = await startProvider(t, upstream)
    const served = model()
    await upstream.stop()
    await t.rejects(complete({}, { model: served }), {
      code: 'upstream_unavailable',
      message: new RegExp(`Connection refused by 127.0.0.1:${upstream.port}; \\w+`),
    })
    await provider.refresh(new AbortController().signal, { fresh: true })
    t.match(provider.health(), { state: 'down', reason: /Connection refused/ })
    t.same(provider.models(), [])
    await upstream.start()
    await provider.refresh(new AbortController().signal, { fresh: true })
    t.match(provider.health(), { state: 'up' })
    t.equal(provider.models().length, 1, 'a server that comes back is detected')
  })

  t.test('shares one refresh among concurrent callers, and releases one that aborts', async t => {
    const upstream = await scriptedUpstream(t, kind)
    const { provider } = await startProvider(t, upstream)
    const before = upstream.requests.length
    await provider.refresh(new AbortController().signal, { fresh: true })
    const once = upstream.requests.length - before
    const leaving = new AbortController()
    const questions = [leaving, new AbortController(), new AbortController()].map(({ signal }) =>
      provider.refresh(signal, { fresh: true }),
    )
    leaving.abort()
    await Promise.all(questions)
    t.equal(upstream.requests.length - before, 2 * once)
    t.match(provider.health(), { state: 'up' })
  })
}
