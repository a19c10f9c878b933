import t from 'tap'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('falls back when a server answers with an error, and both attempts are in the ledger', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { error: { status: 500, message: 'CUDA error' } } })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const reply = await gateway.ask()
  t.equal(reply.headers['x-signalbox-model'], 'openrouter/open/gift:free')
  t.match(reply.headers, { 'x-signalbox-attempts': '2', 'x-signalbox-reason': 'fallback' })
  const [row] = await gateway.core.ledger.recent(1)
  const record = await gateway.core.ledger.request(row?.id ?? '')
  t.match(record?.attempts, [
    { provider: 'llama-cpp', outcome: 'error', failure_code: 'upstream_error' },
    { provider: 'openrouter', outcome: 'ok' },
  ])
})

t.test('a connection that closes before the response is retried once on the same server', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: [{ breakBefore: 'headers' }, {}] })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask()
  t.equal(reply.status, 200)
  t.equal(reply.headers['x-signalbox-attempts'], '2')
  local.script.answer = { breakBefore: 'headers' }
  t.equal((await gateway.ask()).json.error.code, 'upstream_disconnected')
  t.equal(local.chats.length, 4)
})

t.test('without an API key a remote provider is not queried at all', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, { OPENROUTER_ENDPOINT: remote.url })
  for (const model of ['auto', 'auto:quality', 'free', 'openrouter/open/gift:free', 'open/gift:free']) {
    t.ok((await gateway.ask({ model })).status >= 400, model)
  }
  t.equal(remote.requests.length, 0)
})

t.test('falls back when a stream dies before its first token', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: ['never'], breakBefore: 0 } })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const reply = await gateway.ask({ stream: true })
  t.equal(reply.status, 200)
  t.equal(reply.headers['x-signalbox-model'], 'openrouter/open/gift:free')
  t.notOk(reply.text.includes('never'))
})

t.test('a stream that ends without an answer is not an answer', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: [], finishReason: 'none' } })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, variablesFor(local, remote))
  t.equal((await gateway.ask({ stream: true })).headers['x-signalbox-model'], 'openrouter/open/gift:free')
})

t.test('after the first token a failure becomes a typed error event, never another model', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: ['Once ', 'upon '], breakBefore: 1 } })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const reply = await gateway.ask({ stream: true })
  t.equal(reply.status, 200)
  t.match(reply.text, /Once /)
  t.match(reply.events.at(-1), { error: { type: 'upstream_error' } })
  t.notOk(reply.text.includes('[DONE]'))
  t.equal(remote.chats.length, 0)
  const [row] = await gateway.core.ledger.recent(1)
  t.match(row, { outcome: 'error', model: 'llama-cpp/scripted' })
})

t.test('an error about the request itself is returned to the caller without fallback', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask({ messages: [{ role: 7 }] })
  t.equal(reply.status, 400)
  t.equal(local.chats.length, 0)
})

t.test('a model that keeps failing is avoided for a while', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { error: { status: 500, message: 'broken' } } })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  // No floor of quality, or what is learned from the failures would leave the model out before the breaker does.
  const gateway = await startGateway(t, { ...variablesFor(local, remote), QUALITY_THRESHOLD: '0' })
  for (let request = 0; request < 5; request++) {
    t.equal((await gateway.ask()).headers['x-signalbox-model'], 'openrouter/open/gift:free')
  }
  t.equal(local.chats.length, 3)
})

t.test('when everything fails the caller gets every reason', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { error: { status: 500, message: 'first reason' } } })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: ['open/gift:free'],
    answer: { error: { status: 502, message: 'second reason' } },
  })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const reply = await gateway.ask()
  t.equal(reply.status, 502)
  t.match(reply.json.error.message, /All 2 attempts failed.*first reason.*second reason/s)
})

t.test('a server that sends no token in time is abandoned', async t => {
  const held = gate()
  t.teardown(held.open)
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { hold: { before: 0, until: held.opened } } })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, { ...variablesFor(local, remote), PROVIDER_TIMEOUT_MS: '50' })
  const reply = await gateway.ask({ stream: true })
  t.equal(reply.headers['x-signalbox-model'], 'openrouter/open/gift:free')
  await local.untilHangUps(1)
  const [row] = await gateway.core.ledger.recent(1)
  t.match((await gateway.core.ledger.request(row?.id ?? ''))?.attempts[0], { failure_code: 'upstream_timeout' })
})

t.test('a stalled stream ends with a typed error', async t => {
  const held = gate()
  t.teardown(held.open)
  const local = await scriptedUpstream(t, 'llama-cpp', {
    answer: { text: ['a', 'b'], hold: { before: 1, until: held.opened } },
  })
  const gateway = await startGateway(t, { ...variablesFor(local), PROVIDER_IDLE_TIMEOUT_MS: '50' })
  const reply = await gateway.ask({ stream: true })
  t.match(reply.events.at(-1), { error: { code: 'upstream_timeout', message: /stopped sending/ } })
})

t.test('a buffered response that takes too long is abandoned', async t => {
  const held = gate()
  t.teardown(held.open)
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { hold: { before: 'headers', until: held.opened } } })
  const gateway = await startGateway(t, { ...variablesFor(local), PROVIDER_TOTAL_TIMEOUT_MS: '50' })
  const reply = await gateway.ask()
  t.equal(reply.status, 504)
  t.equal(reply.json.error.code, 'upstream_timeout')
})

t.test('a caller waiting for a cold model gets comments, then the answer and its model', async t => {
  const held = gate()
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { hold: { before: 0, until: held.opened } } })
  const gateway = await startGateway(t, { ...variablesFor(local), KEEPALIVE_INTERVAL_MS: '20' })
  const asked = gateway.ask({ stream: true })
  await local.untilChats(1)
  setTimeout(held.open, 100)
  const reply = await asked
  t.match(reply.text, /^: keep-alive\n\n/)
  t.match(reply.text, /: x-signalbox-model: llama-cpp\/scripted\n/)
  t.match(reply.text, /Hello from llama-cpp/)
})

t.test('a server that comes up later is found, and one that goes away is noticed', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  await local.stop()
  const gateway = await startGateway(t, { ...variablesFor(local), PROVIDER_HEALTH_PROBE_INTERVAL_MS: '50' })
  t.equal((await gateway.ask()).status, 503)
  const named = await gateway.ask({ model: 'llama-cpp/small' })
  t.equal(named.status, 503)
  t.match(named.json.error.message, new RegExp(String(local.port)))
  await local.start()
  while (gateway.core.inventory.models().length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  t.equal((await gateway.ask()).status, 200)
  await local.stop()
  while (gateway.core.inventory.providers().some(each => each.health().state === 'up')) {
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  const gone = await gateway.ask()
  t.equal(gone.status, 503)
  t.match(gone.json.error.message, /llama-cpp\/small/)
})
