import t, { type Test } from 'tap'
import { callerOf, createKey } from '../helpers/callers.ts'
import { gate, scriptedUpstream, type Answer } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('a key sends as many requests per minute as it may, is told what is left, and may send again later', async t => {
  const { clock, caller } = await setUp(t, { requests_per_minute: 2 })
  t.match((await caller.ask()).headers, {
    'x-ratelimit-limit-requests': '2',
    'x-ratelimit-remaining-requests': '1',
    'x-ratelimit-reset-requests': '30s',
  })
  t.match(await caller.ask(), { status: 200, headers: { 'x-ratelimit-remaining-requests': '0' } })
  t.match(await caller.ask(), {
    status: 429,
    headers: { 'retry-after': '30', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m0s' },
    json: { error: { type: 'rate_limit_error', code: 'rate_limit_exceeded', message: /2 requests per minute/ } },
  })
  clock.ms += 29_999
  t.equal((await caller.ask()).status, 429, 'a refused request is not counted, but half a minute is not over')
  clock.ms += 1
  t.equal((await caller.ask()).status, 200)
  t.equal((await caller.ask()).status, 429)
})

t.test('a stream carries the same headers, and Messages has them as Anthropic sends them', async t => {
  const { caller } = await setUp(t, { requests_per_minute: 3, tokens_per_minute: 1_000 })
  const streamed = await caller.ask({ stream: true })
  t.match(streamed.headers, { 'x-ratelimit-remaining-requests': '2', 'x-ratelimit-limit-tokens': '1000' })
  const body = { model: 'auto', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }
  t.match(await caller.post('/v1/messages', body), {
    status: 200,
    headers: {
      'anthropic-ratelimit-requests-limit': '3',
      'anthropic-ratelimit-requests-remaining': '1',
      'anthropic-ratelimit-requests-reset': '2026-03-01T00:00:40Z',
      'anthropic-ratelimit-tokens-limit': '1000',
    },
  })
  await caller.ask()
  t.match(await caller.post('/v1/messages', body), {
    status: 429,
    headers: { 'retry-after': '20', 'anthropic-ratelimit-requests-remaining': '0' },
    json: { type: 'error', error: { type: 'rate_limit_error' } },
  })
})

t.test('the tokens of an answer count for the next request, not those that were expected', async t => {
  const { caller, clock } = await setUp(
    t,
    { tokens_per_minute: 1_000 },
    { text: 'Hi.', usage: { promptTokens: 700, outputTokens: 400 } },
  )
  t.equal((await caller.ask()).status, 200)
  t.match(await caller.ask(), { status: 429, json: { error: { message: /1000 tokens per minute/ } } })
  clock.ms += 60_000
  t.match((await caller.ask()).headers, { 'x-ratelimit-limit-tokens': '1000' })
})

t.test('what no model was called for takes no tokens', async t => {
  const { caller } = await setUp(t, { tokens_per_minute: 100 })
  const messages = [{ role: 'user', content: 'word '.repeat(60) }]
  for (let round = 0; round < 3; round++) t.equal((await caller.ask({ model: 'no/such', messages })).status, 404)
  t.equal((await caller.ask({ messages })).status, 200)
})

t.test('a key has as many requests in progress as it may, and a place is free when one has ended', async t => {
  const held = gate()
  t.teardown(held.open)
  const { caller, local } = await setUp(
    t,
    { concurrent_requests: 1 },
    { text: 'Hi.', hold: { before: 'headers', until: held.opened } },
  )
  const first = caller.ask({ stream: true })
  await local.untilChats(1)
  t.match(await caller.ask(), { status: 429, headers: { 'retry-after': '1' } })
  held.open()
  t.equal((await first).status, 200)
  t.equal((await caller.ask()).status, 200)
})

t.test('limits of one key are not those of another', async t => {
  const { caller, gateway, admin } = await setUp(t, { requests_per_minute: 1 })
  const other = await createKey(t, admin, { name: 'other', requests_per_minute: 1 })
  t.equal((await caller.ask()).status, 200)
  t.equal((await caller.ask()).status, 429)
  t.equal((await callerOf(gateway, other.token).ask()).status, 200)
  for (let round = 0; round < 3; round++) {
    const { status, headers } = await admin.ask()
    t.equal(status, 200)
    t.notOk('x-ratelimit-limit-requests' in headers)
  }
})

async function setUp(t: Test, limits: object, answer: Answer = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer })
  const clock = { ms: Date.parse('2026-03-01T00:00:00Z') }
  const variables = { ...variablesFor(local), SIGNALBOX_ADMIN_KEY: 'r-key', PROVIDER_MAX_CONCURRENT_LOCAL: '4' }
  const gateway = await startGateway(t, variables, [], { now: () => clock.ms })
  const admin = callerOf(gateway, 'r-key')
  const { token } = await createKey(t, admin, { name: 'alice', ...limits })
  return { local, clock, gateway, admin, caller: callerOf(gateway, token) }
}
