import t, { type Test } from 'tap'
import { request as send } from 'undici'
import type { Answer } from '../helpers/upstream-script.ts'
import { gate, scriptedUpstream, type ScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

const model = { name: 'lab/paid', price: { input: 3, output: 15, cacheRead: 0.3 } }
const id = 'openrouter/lab/paid'

t.test('an aborted whole answer names its model and costs what was sent and received until then', async t => {
  const { gateway, remote } = await openPaid(t, { text: ['word '], endless: true })
  await leave(gateway, remote, { model: id })
  const stored = await lastStored(gateway)
  t.match(stored.request, { outcome: 'cancelled', model: id, provider: 'openrouter', tier: 'remote', partial: true })
  t.match(stored.request, { usage_estimated: true, cost_usd: priced(stored.request) })
  t.ok(stored.request.input_tokens > 0 && stored.request.output_tokens > 0)
  t.match(stored.attempts, [{ model: id, outcome: 'cancelled', partial: true, cost_usd: stored.request.cost_usd }])
})

t.test('an answer aborted before its first token costs the prompt that was sent', async t => {
  const held = gate()
  t.teardown(held.open)
  const { gateway, remote } = await openPaid(t, { hold: { before: 'headers', until: held.opened } })
  for (const stream of [true, false]) {
    await leave(gateway, remote, { model: id, stream })
    const { request } = await lastStored(gateway)
    t.match(request, { model: id, partial: true, output_tokens: 0, cost_usd: priced(request) })
    t.ok(request.input_tokens > 0)
  }
})

t.test('a refusal and a server that cannot be reached cost nothing', async t => {
  const { gateway, remote } = await openPaid(t, { error: { status: 400, message: 'No.' } })
  t.equal((await gateway.ask({ model: id })).status, 400)
  t.match((await lastStored(gateway)).request, { outcome: 'error', input_tokens: 0, cost_usd: 0, partial: false })
  await remote.stop()
  t.equal((await gateway.ask({ model: id })).status, 502)
  t.match((await lastStored(gateway)).request, { outcome: 'error', input_tokens: 0, cost_usd: 0, partial: false })
})

t.test('a caller who leaves the queue is charged nothing: nothing was sent for them', async t => {
  const held = gate()
  t.teardown(held.open)
  const { gateway, remote } = await openPaid(
    t,
    { hold: { before: 'headers', until: held.opened } },
    { PROVIDER_MAX_CONCURRENT_REMOTE: '1' },
  )
  const first = gateway.ask({ model: id })
  await remote.untilChats(1)
  const controller = new AbortController()
  const second = gateway.ask({ model: id }, { signal: controller.signal })
  while (gateway.core.slotsOf('openrouter').waiting() === 0) await new Promise(resolve => setTimeout(resolve, 1))
  controller.abort()
  await t.rejects(second)
  held.open()
  await first
  await gateway.core.gateway.idle()
  const rows = await gateway.core.ledger.recent(2)
  const left = rows.find(({ outcome }) => outcome === 'cancelled')
  t.match(left, { input_tokens: 0, output_tokens: 0, cost_usd: 0, partial: false, model: null })
})

t.test('an aborted stream whose server has said what it read from its cache is charged for that', async t => {
  const claude = { ...model, name: 'anthropic/claude' }
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [claude],
    answer: { text: ['word '], endless: true, usage: { promptTokens: 10_000, cachedTokens: 9_000, outputTokens: 7 } },
  })
  const gateway = await startGateway(t, variablesFor(remote))
  await leave(gateway, remote, { model: `openrouter/${claude.name}`, stream: true, max_tokens: 100 }, '/v1/messages')
  const { request } = await lastStored(gateway)
  t.match(request, { outcome: 'cancelled', partial: true })
  t.match(request, { input_tokens: 1_000, cache_read_tokens: 9_000, cost_usd: priced(request) })
})

t.test('a server that claims to have read more than its model could hold is charged as expected', async t => {
  const claude = { ...model, name: 'anthropic/claude-scripted' }
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [claude],
    answer: { text: ['Hello.'], usage: { promptTokens: 1_000_000_000, outputTokens: 5 } },
  })
  const gateway = await startGateway(t, variablesFor(remote))
  const ask = { model: `openrouter/${claude.name}`, stream: true, max_tokens: 100, messages: question }
  t.equal((await gateway.post('/v1/messages', ask)).status, 200)
  const { request } = await lastStored(gateway)
  t.ok(request.input_tokens > 0 && request.input_tokens < 100, `${request.input_tokens} tokens were read`)
  t.ok((request.cost_usd ?? 0) > 0 && (request.cost_usd ?? 1) < 0.01, `charged $${request.cost_usd}`)
})

t.test('an aborted stream whose server has said nothing is charged with the cache that was expected', async t => {
  const { gateway, remote } = await openPaid(t, { usage: { promptTokens: 4_000, outputTokens: 5, costUsd: null } })
  const messages = [{ role: 'user', content: 'A long story. '.repeat(1_000) }]
  const first = await gateway.ask({ model: id, messages })
  remote.script = { ...remote.script, answer: { text: ['word '], endless: true } }
  messages.push(first.json.choices[0].message, { role: 'user', content: 'And then?' })
  await leave(gateway, remote, { model: id, messages, stream: true })
  const { request } = await lastStored(gateway)
  t.match(request, { partial: true, cost_usd: priced(request) })
  t.ok(request.cache_read_tokens > 10 * request.input_tokens, `${request.cache_read_tokens} of the prompt were cached`)
})

t.test('a model that is used with the key of its own provider costs what both bill', async t => {
  const { gateway, remote } = await openPaid(t, {
    usage: { promptTokens: 100, outputTokens: 10, costUsd: 0.0001, byokCostUsd: 0.002 },
  })
  for (const stream of [true, false]) {
    await gateway.ask({ model: id, stream })
    const stored = await lastStored(gateway)
    t.match(stored.request, { cost_usd: 0.0021, byok_cost_usd: 0.002 })
    t.match(stored.attempts, [{ cost_usd: 0.0021, byok_cost_usd: 0.002 }])
  }
  remote.script = { ...remote.script, answer: { usage: { promptTokens: 100, outputTokens: 10, costUsd: 0.0001 } } }
  await gateway.ask({ model: id })
  t.match((await lastStored(gateway)).request, { cost_usd: 0.0001, byok_cost_usd: 0 })
  t.match((await gateway.get('/v1/usage')).json.totals, { cost_usd: 0.0043, byok_cost_usd: 0.004 })
})

t.test('a stream that ends in an error is recorded as an error, in every protocol', async t => {
  const failures: Answer[] = [
    { text: ['Once ', 'upon '], errorBefore: { piece: 1, message: 'The model broke.' } },
    { text: ['Once ', 'upon '], breakBefore: 1 },
    { text: ['Once ', 'upon '], finishReason: 'none', done: false },
  ]
  const servers = [
    ['openrouter', 'lab/paid'],
    // Messages pass through to it.
    ['openrouter', 'anthropic/claude'],
    ['llama-cpp', 'lab/paid'],
    ['ollama', 'lab/paid'],
  ] as const
  for (const [kind, name] of servers) {
    const remote = await scriptedUpstream(t, kind, { models: [{ ...model, name }] })
    const gateway = await startGateway(t, variablesFor(remote))
    for (const answer of failures) {
      if ((kind === 'ollama' || name === 'anthropic/claude') && answer.finishReason === 'none') continue
      remote.script = { ...remote.script, answer }
      for (const path of ['chat/completions', 'messages', 'responses']) {
        const body = { model: `${kind}/${name}`, stream: true, max_tokens: 50, messages: question, input: 'Hello?' }
        const { text } = await gateway.post(`/v1/${path}`, body)
        t.match(text, /^event: (error|response\.failed)$|^data: \{"error":/m, `${path} says so`)
        const { request, attempts } = await lastStored(gateway)
        t.match(request, { outcome: 'error', partial: true }, `${kind} ${path}: ${request.failure_code}`)
        t.match(attempts, [{ outcome: 'error', partial: true }])
      }
    }
  }
})

t.test('electricity is part of what a local model costs, as it is part of what was decided', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: 'Hello.' } })
  let nowMs = Date.parse('2026-03-15T12:00:00Z')
  const gateway = await startGateway(
    t,
    { ...variablesFor(local), LOCAL_WATTS: '360', ENERGY_PRICE: '0.25' },
    [],
    // Every look at the clock is a second later.
    { now: () => (nowMs += 1_000) },
  )
  await gateway.ask()
  const { request, attempts } = await lastStored(gateway)
  const [attempt] = attempts
  t.match(attempt, { energy_usd: request.energy_usd, cost_usd: request.energy_usd })
  t.equal(request.cost_usd, request.energy_usd)
  // 360 W for an hour are 0.36 kWh, 9 cents: 25 millionths of a dollar a second.
  const seconds = request.energy_usd / 0.000025
  t.ok(seconds >= 1 && Number.isInteger(seconds) && seconds * 1_000 <= attempt!.duration_ms, `${seconds} s`)
  const remote = await openPaid(t, { usage: { promptTokens: 10, outputTokens: 1, costUsd: 0.5 } })
  await remote.gateway.ask({ model: id })
  t.match((await lastStored(remote.gateway)).request, { cost_usd: 0.5, energy_usd: 0 })
})

const question = [{ role: 'user', content: 'Hello?' }]

async function openPaid(t: Test, answer: Answer, variables: Record<string, string> = {}) {
  const remote = await scriptedUpstream(t, 'openrouter', { models: [model], answer })
  return { remote, gateway: await startGateway(t, { ...variablesFor(remote), ...variables }) }
}

/** Asks, and leaves when the server is answering. */
async function leave(
  gateway: TestGateway,
  remote: ScriptedUpstream,
  body: Record<string, unknown>,
  path = '/v1/chat/completions',
): Promise<void> {
  const { hangUps, chats } = { hangUps: remote.hangUps, chats: remote.chats.length }
  const controller = new AbortController()
  const ask = async () => {
    const { body: bytes } = await send(`${gateway.url}${path}`, {
      method: 'POST',
      body: JSON.stringify({ messages: question, ...body }),
      signal: controller.signal,
    })
    for await (const _ of bytes) controller.abort()
  }
  const asked = ask().catch(() => undefined)
  await remote.untilChats(chats + 1)
  // Some words are on their way; a server that holds everything back has sent none.
  setTimeout(() => controller.abort(), 200).unref()
  await asked
  await remote.untilHangUps(hangUps + 1)
  await gateway.core.gateway.idle()
}

async function lastStored({ core: { ledger } }: TestGateway) {
  const [row] = await ledger.recent(1)
  return (await ledger.request(row!.id))!
}

/** USD for the tokens of a row at the price of `model`. */
function priced(row: { input_tokens: number; cache_read_tokens: number; output_tokens: number }): number {
  const { input, output, cacheRead } = model.price
  const perMillion = row.input_tokens * input + row.cache_read_tokens * cacheRead + row.output_tokens * output
  return Math.round(perMillion * 1e6) / 1e12
}
