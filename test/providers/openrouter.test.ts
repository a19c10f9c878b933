import t, { type Test } from 'tap'
import { costOf } from '../../src/accounting/pricing.ts'
import { noUsage } from '../../src/wire/usage.ts'
import { conformance } from './conformance.ts'
import { readStream } from '../helpers/read-stream.ts'
import { type Script, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startProvider } from '../helpers/start-provider.ts'

conformance(t, 'openrouter')

const minute = 60_000
const { signal } = new AbortController()

async function start(t: Test, script: Script) {
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') }
  const upstream = await scriptedUpstream(t, 'openrouter', script)
  return { clock, upstream, ...(await startProvider(t, upstream, { now: () => clock.now })) }
}

t.test('reads prices in USD per token as USD per million tokens', async t => {
  const overrides = [
    { min_prompt_tokens: 200_000, prompt: '0.0000025', completion: '0.000015' },
    { utc_start: '16:30', utc_end: '00:30', prompt: '0.000001' },
    { weekday: 'Sunday', prompt: '0.0000001' },
  ]
  const { model } = await start(t, {
    models: [
      {
        name: 'g/pro',
        price: { input: 1.25, output: 10, cacheRead: 0.31, overrides },
        contextTokens: 1_048_576,
        maxOutputTokens: 65_536,
        vision: true,
      },
      { name: 'q/coder:free', reasoning: true, tools: false },
      { name: 'x/gift', price: { input: 0, output: 0 } },
      { name: 'openrouter/auto', price: { input: -1e6, output: -1e6 } },
    ],
  })
  const pro = model('g/pro')
  t.match(pro, {
    id: 'openrouter/g/pro',
    tier: 'remote',
    free: false,
    price: { input: 1.25, output: 10, cacheRead: 0.31, requestUsd: 0 },
    contextTokens: 1_048_576,
    maxOutputTokens: 65_536,
    capabilities: {
      vision: true,
      tools: true,
      forcedTools: true,
      json: true,
      reasoning: false,
      logprobs: false,
      manyChoices: false,
    },
  })
  const cost = (inputTokens: number, time = '12:00') =>
    costOf(pro.price, { ...noUsage, inputTokens, outputTokens: 1000 }, Date.parse(`2026-03-15T${time}:00Z`))
  t.equal(cost(100_000), 0.135)
  t.equal(cost(200_000), 0.515, 'a long prompt costs what the override says')
  t.equal(cost(100_000, '16:30'), 0.11, 'and so does a prompt at night')
  t.equal(cost(100_000, '00:29'), 0.11)
  t.equal(cost(100_000, '00:30'), 0.135)
  t.equal(cost(200_000, '23:00'), 0.215, 'the later override wins, rate by rate')
  t.match(pro.priceOrigin, { source: 'listed', at: Number })
  t.match(model('q/coder:free'), { free: true, capabilities: { tools: false, reasoning: true } })
  t.match(model('x/gift'), { free: true })
  t.match(model('openrouter/auto'), { free: false, price: undefined })
})

t.test('uses the charge that OpenRouter reports', async t => {
  const usage = { promptTokens: 100, outputTokens: 10, cachedTokens: 60, reasoningTokens: 4, costUsd: 0.0042 }
  const { complete, stream } = await start(t, { answer: { text: 'x', usage } })
  t.equal((await complete()).usage?.cost, 0.0042)
  t.equal((await readStream(await stream())).completion.usage?.cost, 0.0042)
})

t.test('identifies the application, removes our fallback list and forwards OpenRouter’s fields', async t => {
  const { upstream, complete } = await start(t, {})
  await complete({ models: ['a', 'b'], provider: { order: ['x'] }, transforms: ['middle-out'] })
  const { body, headers } = upstream.chats[0]!
  t.match(headers, { 'http-referer': /./, 'x-title': 'Signalbox' })
  t.match(body, { provider: { order: ['x'] }, transforms: ['middle-out'] })
  t.notOk('models' in body, 'it would serve another model than the one that was chosen')
  await complete()
  t.same(upstream.chats[1]!.body.transforms, [], 'no prompt is compressed unless its caller requests it')
})

t.test('drops its waiting comments', async t => {
  const { stream } = await start(t, { answer: { text: ['a', 'b'], comments: ['OPENROUTER PROCESSING'] } })
  const { bytes, completion, failure } = await readStream(await stream())
  t.equal(failure, undefined)
  t.equal(completion.choices[0]?.message.content, 'ab')
  t.notMatch(bytes, /PROCESSING/)
})

t.test('reports its providers’ messages and the end of a limit', async t => {
  const { clock, complete } = await start(t, {
    models: [{ name: 'paid', price: { input: 1, output: 1 } }],
    answer: (_request, index) =>
      [
        {
          error: { status: 400, message: 'Provider returned error', fields: { metadata: { raw: 'bad tool schema' } } },
        },
        {
          error: {
            status: 429,
            message: 'Rate limit exceeded: free-models-per-day',
            fields: { metadata: { headers: { 'X-RateLimit-Reset': String(Date.parse('2026-01-01T00:01:30Z')) } } },
          },
        },
        { error: { status: 404, message: 'No endpoints found that support image input' } },
        { error: { status: 402, message: 'Insufficient credits' } },
      ][index]!,
  })
  t.equal(clock.now, Date.parse('2026-01-01T00:00:00Z'))
  await t.rejects(complete(), { code: 'upstream_rejected', message: /bad tool schema/ })
  await t.rejects(complete(), { code: 'upstream_free_limited', retryAfterSeconds: 90 })
  await t.rejects(complete(), { code: 'unsupported' })
  await t.rejects(complete(), { code: 'upstream_payment_required', message: /balance/ })
})

t.test('avoids a free model for half an hour after two failures', async t => {
  const models = ['m/good:free', 'm/bad:free']
  const failing = { error: { status: 500, message: 'died' } }
  const { clock, complete, stream, model, provider, upstream } = await start(t, { models, answer: failing })
  const bad = model('m/bad:free')
  await t.rejects(complete({}, { model: bad }))
  t.equal(model('m/bad:free').avoid, undefined, 'one failure is not enough')
  upstream.script.answer = { errorBefore: { piece: 0, message: 'died', code: 'server_error' } }
  t.match((await readStream(await stream({}, { model: bad }))).failure, { code: 'upstream_error' })
  t.match(provider.models(), [
    { name: 'm/good:free', avoid: undefined },
    { name: 'm/bad:free', avoid: /failed 2 times/ },
  ])
  clock.now += 31 * minute
  t.equal(model('m/bad:free').avoid, undefined)
})

t.test('does not avoid a free model that answers in between or is rate-limited, nor a paid one', async t => {
  const models = [{ name: 'm/a:free' }, { name: 'm/paid', price: { input: 1, output: 1 } }]
  const failing = { error: { status: 500, message: 'died' } }
  const { complete, model, upstream } = await start(t, { models, answer: [failing, {}, failing] })
  const free = model('m/a:free')
  await t.rejects(complete({}, { model: free }))
  await complete({}, { model: free })
  await t.rejects(complete({}, { model: free }))
  t.equal(model('m/a:free').avoid, undefined)
  upstream.script.answer = { error: { status: 429, message: 'slow' } }
  for (let count = 0; count < 3; count++) await t.rejects(complete({}, { model: free }))
  t.equal(model('m/a:free').avoid, undefined)
  upstream.script.answer = failing
  const paid = model('m/paid')
  for (let count = 0; count < 3; count++) await t.rejects(complete({}, { model: paid }))
  t.equal(model('m/paid').avoid, undefined)
})

t.test('removes a model that is gone, but not because of one caller’s provider restriction', async t => {
  const gone = { error: { status: 404, message: 'No endpoints found for m/a' } }
  const { clock, complete, model, provider } = await start(t, { models: ['m/a', 'm/b'], answer: gone })
  const served = model('m/a')
  await t.rejects(complete({ provider: { only: ['nobody'] } }, { model: served }), { code: 'model_not_found' })
  t.equal(provider.models().length, 2)
  await t.rejects(complete({}, { model: served }), { code: 'model_not_found' })
  t.match(provider.models(), [{ name: 'm/b' }])
  t.equal(provider.models().length, 1)
  clock.now += 31 * minute
  t.equal(provider.models().length, 2)
})

t.test('fetches its long list rarely, and at once when forced', async t => {
  const { clock, provider, upstream } = await start(t, {})
  const count = (path: string) => upstream.requests.filter(request => request.path === path).length
  await provider.refresh(signal)
  t.equal(count('/api/v1/models'), 1)
  t.equal(count('/api/v1/key'), 1)
  clock.now += 2 * minute
  await provider.refresh(signal)
  t.equal(count('/api/v1/models'), 1)
  t.equal(count('/api/v1/key'), 2, 'the API key is checked more often')
  await provider.refresh(signal, { fresh: true })
  t.equal(count('/api/v1/models'), 2)
  clock.now += 11 * minute
  await provider.refresh(signal)
  t.equal(count('/api/v1/models'), 3)
})

t.test('is down, naming the variable, when its API key is rejected', async t => {
  const upstream = await scriptedUpstream(t, 'openrouter', {
    route: ({ path }) =>
      path === '/api/v1/key' ? { status: 401, json: { error: { code: 401, message: 'No auth' } } } : undefined,
  })
  const { provider } = await startProvider(t, upstream, {
    endpoint: { apiKey: 'k', apiKeyVariable: 'OPENROUTER_API_KEY' },
  })
  t.match(provider.health(), { state: 'down', reason: /check OPENROUTER_API_KEY/ })
  t.same(provider.models(), [])
})
