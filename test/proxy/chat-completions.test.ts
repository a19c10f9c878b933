import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('a request for auto is answered by the local model, and the headers say so', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask()
  t.equal(reply.status, 200)
  t.equal(reply.json.choices[0].message.content, 'Hello from llama-cpp.')
  t.match(reply.headers, {
    'x-signalbox-model': 'llama-cpp/small',
    'x-signalbox-provider': 'llama-cpp',
    'x-signalbox-reason': /^local/,
    'x-signalbox-attempts': '1',
    'x-signalbox-request-id': /^req_/,
    'server-timing': /parse;dur=[\d.]+, route;dur=[\d.]+, queue;dur=[\d.]+, upstream;dur=[\d.]+/,
  })
})

t.test('a stream is passed through and ends with [DONE]', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: ['One ', 'two ', 'three.'] } })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask({ stream: true })
  t.match(reply.headers['content-type'], /^text\/event-stream/)
  const text = reply.events.map(event => event.choices[0]?.delta.content ?? '').join('')
  t.equal(text, 'One two three.')
  t.ok(reply.text.endsWith('data: [DONE]\n\n'))
})

t.test('usage is always requested from the upstream, and returned only to a caller that requested it', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { usage: { promptTokens: 12, outputTokens: 5 } } })
  const gateway = await startGateway(t, variablesFor(local))
  const silent = await gateway.ask({ stream: true })
  t.notOk(silent.text.includes('prompt_tokens'))
  t.match(local.chats[0]?.body, { stream_options: { include_usage: true } })
  const asking = await gateway.ask({ stream: true, stream_options: { include_usage: true } })
  t.match(asking.events.at(-1), { choices: [], usage: { prompt_tokens: 12, completion_tokens: 5 } })
})

t.test('a caller that requested usage gets an estimate where the upstream reports none', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: ['a', 'b', 'c'], usageIn: 'nowhere' } })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask({ stream: true, stream_options: { include_usage: true } })
  t.ok(reply.events.at(-1).usage.completion_tokens > 0)
  const [row] = await gateway.core.ledger.recent(1)
  t.equal(row?.usage_estimated, true)
})

t.test('unknown fields are forwarded', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  await gateway.ask({ seed: 7, stop: ['x'], min_p: 0.05, messages: [{ role: 'user', content: 'Hi', name: 'me' }] })
  t.match(local.chats[0]?.body, { seed: 7, stop: ['x'], min_p: 0.05, messages: [{ name: 'me' }] })
})

t.test('half a character, of a text that was cut, reaches the server as a replacement character', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const content = 'A whole \u{1f600} and a half \ud83d'
  await gateway.ask({ messages: [{ role: 'user', content }], metadata: { note: '\ude00' } })
  t.match(local.chats[0]?.body, {
    messages: [{ content: 'A whole \u{1f600} and a half \ufffd' }],
    metadata: { note: '\ufffd' },
  })
})

t.test('an explicitly named model has no fallback, even when it fails', async t => {
  const small = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const named = await scriptedUpstream(t, 'openrouter', {
    models: ['lab/bright'],
    answer: { error: { status: 500, message: 'out of order' } },
  })
  const gateway = await startGateway(t, variablesFor(small, named))
  for (const model of ['openrouter/lab/bright', 'lab/bright']) {
    const reply = await gateway.ask({ model })
    t.equal(reply.status, 502)
  }
  t.equal(small.chats.length, 0)
})

t.test('a bare name served at two different prices must be qualified', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['twin'] })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['twin'] })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const reply = await gateway.ask({ model: 'twin' })
  t.equal(reply.status, 400)
  t.match(reply.json.error.message, /llama-cpp\/twin, openrouter\/twin/)
})

t.test("the caller's own fallback list is tried in its order", async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: ['lab/first', 'lab/second'],
    answer: request => (request.body['model'] === 'lab/first' ? { error: { status: 500, message: 'no' } } : {}),
  })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const reply = await gateway.ask({
    model: 'openrouter/lab/first',
    models: ['openrouter/lab/second', 'llama-cpp/small'],
  })
  t.equal(reply.headers['x-signalbox-model'], 'openrouter/lab/second')
  t.equal(reply.headers['x-signalbox-attempts'], '2')
  t.equal(local.chats.length, 0)
})

t.test('a list of models without `model` is tried in its order, and auto is not asked first', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['lab/first', 'lab/second'] })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const models = ['openrouter/lab/second', 'openrouter/lab/first', 'llama-cpp/small']
  const reply = await gateway.ask({ model: undefined, models })
  t.equal(reply.headers['x-signalbox-model'], 'openrouter/lab/second')
  t.equal(local.chats.length, 0)
})

t.test('local stays local, free stays free, and auto prefers local, then free, then the cheapest model', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [
      { name: 'lab/dear', price: { input: 10, output: 30 } },
      { name: 'lab/cheap', price: { input: 1, output: 3 } },
      { name: 'open/gift:free', price: { input: 0, output: 0 } },
    ],
  })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const ranked = (model: string) =>
    gateway.core.gateway.preview({ model, messages: [{ role: 'user', content: 'x' }] }).ranked.map(each => each.id)
  t.strictSame(ranked('auto'), [
    'llama-cpp/small',
    'openrouter/open/gift:free',
    'openrouter/lab/cheap',
    'openrouter/lab/dear',
  ])
  t.strictSame(ranked('local'), ['llama-cpp/small'])
  t.strictSame(ranked('free'), ['llama-cpp/small', 'openrouter/open/gift:free'])
})

t.test('OPENROUTER_FREE_ONLY keeps every request off paid models', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/cheap', price: { input: 1, output: 3 } }],
  })
  const gateway = await startGateway(t, { ...variablesFor(remote), OPENROUTER_FREE_ONLY: 'true' })
  const reply = await gateway.ask()
  t.equal(reply.status, 400)
  t.match(reply.json.error, { code: 'unsupported', message: /not free/ })
  t.equal(remote.chats.length, 0)
})

t.test('the base URL works with and without /v1, and with a trailing slash', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  for (const path of ['/models', '/v1/models', '/v1/models/']) t.equal((await gateway.get(path)).status, 200, path)
})

t.test('models are listed with their details, and one can be looked up by an id with slashes', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/bright', contextTokens: 65_536, price: { input: 3, output: 15 } }],
  })
  const gateway = await startGateway(t, variablesFor(remote))
  const list = await gateway.get('/v1/models')
  t.ok(list.json.data.some((model: { id: string }) => model.id === 'auto'))
  const one = await gateway.get('/v1/models/openrouter/lab/bright')
  t.match(one.json, {
    id: 'openrouter/lab/bright',
    object: 'model',
    context_length: 65_536,
    price: { input: 3, output: 15 },
  })
  t.equal((await gateway.get('/v1/models/openrouter/nothing')).status, 404)
})
