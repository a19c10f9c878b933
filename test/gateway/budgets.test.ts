import t, { type Test } from 'tap'
import type { SignalboxEvent } from '../../src/events.ts'
import { gate, scriptedUpstream, type Answer, type ScriptedModel } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

/** A call may cost 2 cents for its answer, and next to nothing for its prompt. */
const paid = { name: 'lab/paid', price: { input: 1, output: 10 }, contextTokens: 100_000, maxOutputTokens: 2_000 }
const id = 'openrouter/lab/paid'
const costs = (costUsd: number): Answer => ({ text: 'Hi.', usage: { promptTokens: 10, outputTokens: 20, costUsd } })

t.test('a hard budget is charged what a call cost, and refuses with 402 when it is used up', async t => {
  const { gateway, spent } = await setUp(t, costs(0.015))
  await setBudget(gateway, { limit_usd: 0.04 })
  t.equal((await gateway.ask({ model: id })).status, 200)
  t.match(await spent(), { spent_usd: 0.015, held_usd: 0, left_usd: 0.025 })
  t.equal((await gateway.ask({ model: id })).status, 200)
  t.match(await gateway.ask({ model: id }), {
    status: 402,
    headers: { 'retry-after': String(31 * 86_400 - 12 * 3600) },
    json: {
      error: {
        type: 'insufficient_quota',
        code: 'budget_exceeded',
        message: /the budget 'all' \(\$0\.04 per month\) has \$0\.01 left.* begins anew at 2026-04-01T00:00:00\.000Z/,
      },
    },
  })
  t.match(await spent(), { spent_usd: 0.03, held_usd: 0 })
})

t.test('what a budget refuses, it refuses in the protocol of the caller, on every endpoint', async t => {
  const { gateway } = await setUp(t, {})
  await setBudget(gateway, { limit_usd: 0 })
  const messages = [{ role: 'user', content: 'Hi' }]
  const asks: [string, object, object][] = [
    ['/v1/chat/completions', { messages, stream: true }, { error: { code: 'budget_exceeded' } }],
    ['/v1/messages', { messages, max_tokens: 9 }, { type: 'error', error: { type: 'billing_error' } }],
    ['/v1/responses', { input: 'Hi' }, { error: { code: 'budget_exceeded' } }],
    ['/v1/completions', { prompt: 'Hi' }, { error: { code: 'budget_exceeded' } }],
    ['/v1/embeddings', { input: 'Hi' }, { error: { code: 'budget_exceeded' } }],
    ['/api/chat', { messages }, { error: /budget 'all'/ }],
  ]
  for (const [path, body, json] of asks)
    t.match(await gateway.post(path, { model: id, ...body }), { status: 402, json }, path)
  const gemini = `/v1beta/models/${id}:generateContent`
  t.match(await gateway.post(gemini, { contents: [{ parts: [{ text: 'Hi' }] }] }), {
    status: 402,
    json: { error: { status: 'RESOURCE_EXHAUSTED' } },
  })
})

t.test('where the best model is not paid for, the next one that is answers, and the explanation says why', async t => {
  const large = { ...paid, name: 'meta-llama/llama-3.1-405b-instruct', price: { input: 30, output: 300 } }
  const small = { ...paid, name: 'meta-llama/llama-3.2-1b-instruct' }
  const { gateway } = await setUp(t, costs(0.001), {}, [large, small])
  const ask = { model: 'auto:quality', max_tokens: 1_000 }
  t.equal((await gateway.ask(ask)).headers['x-signalbox-model'], `openrouter/${large.name}`)
  await setBudget(gateway, { limit_usd: 0.1 })
  t.equal((await gateway.ask(ask)).headers['x-signalbox-model'], `openrouter/${small.name}`)
  const { json } = await gateway.post('/v1/route', { ...ask, messages: [{ role: 'user', content: 'Hello?' }] })
  t.match(json.excluded, [
    { model: `openrouter/${large.name}`, code: 'over_budget', reason: /may cost up to \$0\.3.*has \$0\.\d+ left/ },
  ])
})

t.test('a free or local model answers when nothing is left, and takes nothing of a budget', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['mine'] })
  const { gateway, spent } = await setUp(t, {}, variablesFor(local), [paid, { name: 'lab/gift:free' }])
  await setBudget(gateway, { limit_usd: 0 })
  for (const model of ['llama-cpp/mine', 'openrouter/lab/gift:free', 'auto:quality']) {
    t.equal((await gateway.ask({ model })).status, 200, model)
  }
  t.equal(await spent(), undefined, 'nothing was ever written')
})

t.test('an answer is limited to what is left, and to what the request asked for', async t => {
  const { gateway, remote } = await setUp(t, costs(0.001))
  const limits = async (body: object, path = '/v1/chat/completions') => {
    const { headers, status } = await gateway.post(path, {
      model: id,
      messages: [{ role: 'user', content: 'Hi' }],
      ...body,
    })
    t.equal(status, 200)
    const sent = remote.chats.at(-1)!.body
    return { max: Number(sent['max_tokens'] ?? sent['max_completion_tokens']), notes: headers['x-signalbox-notes'] }
  }
  t.same(await limits({}), { max: NaN, notes: undefined }, 'without a budget the request is as it was')
  await setBudget(gateway, { limit_usd: 1 })
  t.same(await limits({ max_tokens: 50 }), { max: 50, notes: undefined })
  t.same(await limits({}), { max: 2_000, notes: undefined }, 'with one it is limited by its model')
  await setBudget(gateway, { limit_usd: 0.015 }, 'small')
  const { max, notes } = await limits({ max_tokens: 1_900 })
  t.ok(max > 1_300 && max < 1_500, `${max} tokens cost less than 1.5 cents`)
  t.match(notes, /max_tokens lowered from 1900 to \d+ .*: what is left of a budget/)
  t.equal((await limits({ max_tokens: 1_900 }, '/v1/messages')).max < max, true)
})

t.test('answers in several choices are reserved all, and so are all texts of one request', async t => {
  const { gateway, spent, server } = await setUpFar(t, { input: 1, output: 10 })
  await setBudget(gateway, { limit_usd: 0.05 })
  t.equal((await gateway.ask({ model: 'far/model', max_tokens: 2_000, n: 2 })).status, 200)
  t.match(server.chats[0]!.body, { max_tokens: 2_000 })
  t.match(await gateway.ask({ model: 'far/model', max_tokens: 2_000, n: 5 }), { status: 402 })
  const input = Array.from({ length: 100 }, () => 'word '.repeat(200))
  t.match(await gateway.post('/v1/embeddings', { model: 'far/model', input }), { status: 402 })
  t.match(await spent(), { held_usd: 0 })
})

t.test('a soft budget lets everything pass, warns in a header and tells each share once', async t => {
  const { gateway, events, spent } = await setUp(t, costs(0.01))
  await setBudget(gateway, { limit_usd: 0.025, hard: false, scope: 'key', period: 'day' })
  const warnings = []
  for (let round = 0; round < 4; round++) {
    const { status, headers } = await gateway.ask({ model: id, max_tokens: 100 })
    t.equal(status, 200)
    warnings.push(headers['x-signalbox-budget-warning'])
  }
  t.equal(warnings[0], undefined)
  t.match(
    warnings[3],
    /^the budget 'all' of 'anonymous' \(\$0\.03 per day\) is at 12\d .* until 2026-03-02T00:00:00\.000Z/,
  )
  t.match(await spent(), { subject: 'anonymous', spent_usd: 0.04, left_usd: -0.015 })
  t.match(events(), [
    { budget: 'all', subject: 'anonymous', threshold: 0.8, usedUsd: 0.02, limitUsd: 0.025 },
    { threshold: 1, usedUsd: 0.03, resetsAt: Date.parse('2026-03-02T00:00:00Z') },
  ])
  t.equal(events().length, 2)
})

t.test('money that others hold is no reason for 402: the caller is told to try again soon', async t => {
  const held = gate()
  t.teardown(held.open)
  const { gateway, remote, spent } = await setUp(t, {
    ...costs(0.001),
    hold: { before: 'headers', until: held.opened },
  })
  await setBudget(gateway, { limit_usd: 0.025 })
  const first = gateway.ask({ model: id })
  await remote.untilChats(1)
  t.match(await gateway.ask({ model: id }), {
    status: 429,
    headers: { 'retry-after': '2' },
    json: {
      error: { code: 'budget_reserved', message: /has \$0\.00\d+ left, and \$0\.02 reserved by requests in progress/ },
    },
  })
  held.open()
  t.equal((await first).status, 200)
  t.equal((await gateway.ask({ model: id })).status, 200)
  t.match(await spent(), { spent_usd: 0.002, held_usd: 0 })
})

t.test('a call that fails costs nothing, and what it held is left again', async t => {
  const { gateway, remote, spent } = await setUp(t, { error: { status: 500, message: 'Broken.' } })
  await setBudget(gateway, { limit_usd: 0.025 })
  t.equal((await gateway.ask({ model: id })).status, 502)
  t.match(await spent(), { spent_usd: 0, held_usd: 0 })
  remote.script = { ...remote.script, answer: { breakBefore: 'headers' } }
  t.equal((await gateway.ask({ model: id, stream: true })).status, 502)
  t.match(await spent(), { spent_usd: 0, held_usd: 0 })
})

t.test('a stream that its caller leaves holds its money until the provider says what it billed', async t => {
  const { gateway, remote, spent } = await setUp(t, {
    text: ['word '],
    endless: true,
    headers: { 'x-generation-id': 'gen-1' },
  })
  await setBudget(gateway, { limit_usd: 0.025 })
  const controller = new AbortController()
  const asked = gateway.ask({ model: id, stream: true }, { signal: controller.signal }).catch(() => undefined)
  await remote.untilChats(1)
  while ((await spent())?.['held_usd'] === undefined) await new Promise(resolve => setTimeout(resolve, 5))
  setTimeout(() => controller.abort(), 100)
  await asked
  await gateway.core.gateway.idle()
  const { spent_usd: before, held_usd: held = 0 } = (await spent())!
  t.ok(before === 0 && held > 0.02 && held < 0.021, `${held} is all that it could cost`)
  const bill = { id: 'gen-1', total_cost: 0.0123, native_tokens_prompt: 10, native_tokens_completion: 1_200 }
  remote.script = {
    ...remote.script,
    route: ({ path }) => (path.endsWith('/generation') ? { json: { data: bill } } : undefined),
  }
  while ((await spent())?.['held_usd'] !== 0) await new Promise(resolve => setTimeout(resolve, 50))
  t.match(await spent(), { spent_usd: 0.0123, left_usd: 0.0127 })
})

t.test('each key, tag, session, task, model and provider spends of its own budget only', async t => {
  const { gateway, spent } = await setUp(t, costs(0.002))
  const scopes = { key: 'anonymous', tag: 'ci', session: 's-1', model: id, provider: 'openrouter' }
  for (const scope of Object.keys(scopes)) await setBudget(gateway, { limit_usd: 1, scope }, scope)
  await setBudget(gateway, { limit_usd: 1, period: 'task' }, 'task')
  await setBudget(gateway, { limit_usd: 1, scope: 'tag', subject: 'docs' }, 'docs')
  const headers = { 'x-signalbox-session': 's-1', 'x-signalbox-tags': 'ci,nightly', 'x-signalbox-task': 'port-parser' }
  t.equal((await gateway.ask({ model: id }, { headers })).status, 200)
  for (const [scope, subject] of Object.entries(scopes))
    t.match(await spent(scope), { spent_usd: 0.002, subject }, scope)
  t.match(await spent('task'), { spent_usd: 0.002, period: 'port-parser', resets_at: null })
  t.equal(await spent('docs'), undefined, 'another tag')
  t.equal((await gateway.ask({ model: id })).status, 200)
  for (const scope of ['tag', 'session', 'task']) t.match(await spent(scope), { spent_usd: 0.002 }, scope)
  for (const scope of ['key', 'model', 'provider']) t.match(await spent(scope), { spent_usd: 0.004 }, scope)
})

t.test('a background task spends of its own budget, with the judge that checks its answer', async t => {
  const judge = { ...paid, name: 'lab/judge' }
  const { gateway, spent } = await setUp(
    t,
    ({ body }) => (body['model'] === 'lab/judge' ? { ...costs(0.003), text: 'ACCEPT' } : costs(0.002)),
    {},
    [paid, judge],
  )
  await setBudget(gateway, { limit_usd: 1, period: 'task' })
  const task = { task: 'Say hi.', context_length: 0, validate: ['judge:openrouter/lab/judge'] }
  const { json } = await gateway.post('/api/tasks', task)
  t.match((await gateway.get(`/api/tasks/${json.task_id}?wait_seconds=20`)).json, { status: 'completed' })
  t.match(await spent(), { period: json.task_id, spent_usd: 0.005, held_usd: 0 })
})

t.test('a budget begins anew with its period in the operator’s time zone', async t => {
  const { gateway, clock } = await setUp(t, costs(0.015), { TIME_ZONE: 'Europe/Berlin' })
  await setBudget(gateway, { limit_usd: 0.025, period: 'day' })
  // The night in which clocks go forward.
  clock.ms = Date.parse('2026-03-28T22:59:00Z')
  t.equal((await gateway.ask({ model: id })).status, 200)
  t.match(await gateway.ask({ model: id }), { status: 402, headers: { 'retry-after': '60' } })
  clock.ms = Date.parse('2026-03-28T23:00:00Z')
  t.equal((await gateway.ask({ model: id })).status, 200)
  t.match(await gateway.ask({ model: id }), { status: 402, headers: { 'retry-after': String(23 * 3600) } })
  clock.ms = Date.parse('2026-03-28T22:59:59Z')
  t.equal((await gateway.ask({ model: id })).status, 402, 'a clock that goes back adds nothing')
})

t.test('budgets and what was spent of them outlive a restart', async t => {
  const folder = t.testdir()
  const first = await setUp(t, costs(0.015), { DATA_DIR: folder })
  await setBudget(first.gateway, { limit_usd: 0.025, period: 'forever' })
  t.equal((await first.gateway.ask({ model: id })).status, 200)
  await first.gateway.close(0)
  const second = await setUp(t, costs(0.015), { DATA_DIR: folder })
  t.match(await second.spent(), { spent_usd: 0.015, held_usd: 0, resets_at: null })
  const refused = await second.gateway.ask({ model: id })
  t.match(refused, { status: 402, json: { error: { message: /does not begin anew/ } } })
  t.notOk('retry-after' in refused.headers)
})

t.test('a model without a price is no way around a hard budget', async t => {
  const { gateway } = await setUpFar(t, undefined)
  await setBudget(gateway, { limit_usd: 100, hard: false }, 'soft')
  t.equal((await gateway.ask({ model: 'far/model' })).status, 200)
  await setBudget(gateway, { limit_usd: 100 })
  t.match(await gateway.ask({ model: 'far/model' }), { status: 402, json: { error: { message: /no known price/ } } })
})

/** A server of one model with this price, or without any. */
async function setUpFar(t: Test, price: { input: number; output: number } | undefined) {
  const server = await scriptedUpstream(t, 'openai-compatible', { models: ['model'] })
  const prices = price === undefined ? {} : { prices: { model: price } }
  const far = {
    kind: 'openai-compatible',
    name: 'far',
    url: server.url,
    tier: 'remote' as const,
    named: true,
    ...prices,
  }
  const gateway = await startGateway(t, { TIME_ZONE: 'UTC', QUALITY_THRESHOLD: '0' }, [far])
  return { server, gateway, spent: spentOf(gateway) }
}

async function setUp(
  t: Test,
  answer: Answer | ((request: { body: Readonly<Record<string, unknown>> }) => Answer),
  variables: Record<string, string> = {},
  models: readonly ScriptedModel[] = [paid],
) {
  const remote = await scriptedUpstream(t, 'openrouter', { models, answer })
  const clock = { ms: Date.parse('2026-03-01T12:00:00Z') }
  const settings = { TIME_ZONE: 'UTC', ...variablesFor(remote), ...variables }
  const gateway = await startGateway(t, settings, [], { now: () => clock.ms })
  const told: SignalboxEvent[] = []
  t.teardown(async () => unwatch())
  const unwatch = gateway.core.events.watch(event => void (event.type === 'budget.threshold' && told.push(event)))
  return { remote, gateway, clock, spent: spentOf(gateway), events: () => told }
}

/** What the last period of a budget came to; undefined if nothing was spent. */
function spentOf(gateway: TestGateway) {
  return async (name = 'all') => {
    const { json } = await gateway.get(`/api/budgets?name=${name}`)
    return json.budgets[0]?.spending[0] as Record<string, number> | undefined
  }
}

async function setBudget(gateway: TestGateway, budget: Record<string, unknown>, name = 'all') {
  const url = `${gateway.url}/api/budgets/${name}`
  const { status, json } = await exchange(url, { method: 'PUT', body: JSON.stringify(budget) })
  if (status !== 200) throw new Error(JSON.stringify(json))
}
