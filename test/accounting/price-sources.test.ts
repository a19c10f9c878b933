import t, { type Test } from 'tap'
import { notableChange } from '../../src/accounting/price-changes.ts'
import { createShippedPrices } from '../../src/accounting/price-list.ts'
import type { SignalboxEvent } from '../../src/events.ts'
import type { ScriptedModel } from '../helpers/upstream-script.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

const usage = { promptTokens: 1_000_000, outputTokens: 100_000, costUsd: null }
const paid: ScriptedModel = { name: 'lab/paid', price: { input: 3, output: 15 }, contextTokens: 2_000_000 }

const small: ScriptedModel = { name: 'small', loadedContextTokens: 2_000_000, contextTokens: 2_000_000 }

t.test('an attempt keeps the price that it was charged by, where that is from and since when', async t => {
  const { gateway } = await open(t, {})
  const before = Date.now()
  await gateway.ask({ model: 'openrouter/lab/paid' })
  const attempt = await lastAttempt(gateway)
  t.match(attempt, { cost_usd: 4.5, cost_source: 'listed', price: { input: 3, output: 15 } })
  t.ok(attempt.price_at !== null && attempt.price_at <= before && attempt.price_at > before - 60_000)
})

t.test('a charge that the provider reported is kept as such, beside the price of the time', async t => {
  const { gateway, remote } = await open(t, {})
  remote.script = { ...remote.script, answer: { usage: { ...usage, costUsd: 0.25 } } }
  await gateway.ask({ model: 'openrouter/lab/paid' })
  t.match(await lastAttempt(gateway), { cost_usd: 0.25, cost_source: 'reported', price: { input: 3 } })
})

t.test('a price in MODEL_PRICES replaces the listed one, for the decision and for the ledger', async t => {
  const own = { 'openrouter/lab/paid': { input: 1, output: 2, cache_read: 0.1, request_usd: 0.5 } }
  const { gateway } = await open(t, { MODEL_PRICES: JSON.stringify(own) })
  const { json } = await gateway.get('/v1/models')
  const listed = json.data.find(({ id }: { id: string }) => id === 'openrouter/lab/paid')
  t.match(listed.price, own['openrouter/lab/paid'])
  await gateway.ask({ model: 'openrouter/lab/paid' })
  t.match(await lastAttempt(gateway), {
    cost_usd: 1.7,
    cost_source: 'configured',
    price: { input: 1, output: 2, cache_read: 0.1, request_usd: 0.5 },
  })
})

t.test('a price of signalbox.json replaces the one of any kind of server', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: [small], answer: { usage } })
  const prices = { small: { input: 0.5, output: 1 } }
  const gateway = await startGateway(t, { QUALITY_THRESHOLD: '0' }, [
    { kind: 'llama-cpp', name: 'box', url: local.url, named: true, prices },
  ])
  await gateway.ask({ model: 'box/small' })
  t.match(await lastAttempt(gateway), { cost_usd: 0.6, cost_source: 'configured', price: { input: 0.5, output: 1 } })
})

t.test('what runs here for nothing has no price in its row', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['small'] })
  const gateway = await startGateway(t, variablesFor(local))
  await gateway.ask()
  t.match(await lastAttempt(gateway), { cost_usd: 0, cost_source: 'local', price: null, price_at: null })
})

t.test('the same price is stored once, however many attempts refer to it', async t => {
  const { gateway } = await open(t, {})
  for (let n = 0; n < 3; n++) await gateway.ask({ model: 'openrouter/lab/paid' })
  const rows = await gateway.core.ledger.recent(3)
  const attempts = await Promise.all(rows.map(async ({ id }) => (await gateway.core.ledger.request(id))!.attempts[0]))
  t.same(
    attempts.map(attempt => attempt?.price),
    Array.from({ length: 3 }, () => attempts[0]?.price),
  )
})

t.test('prices that no server lists come from the shipped list, with its date', t => {
  const prices = createShippedPrices()
  const sonnet = prices.at('https://api.anthropic.com/v1', 'claude-sonnet-4-6')
  t.match(sonnet, { price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, cacheWrite1h: 6 } })
  t.match(sonnet?.origin, { source: 'snapshot', at: Number })
  t.match(prices.named('openai/gpt-4o'), { price: { input: 2.5, output: 10 } })
  t.equal(prices.at('https://example.com/v1', 'gpt-4o'), undefined)
  t.equal(prices.at('https://api.openai.com/v1', 'no-such-model'), undefined)
  t.equal(prices.named('constructor/x'), undefined)
  t.equal(prices.named('gpt-4o'), undefined)
  t.end()
})

t.test('a price that changes by more than 20 % is an event', async t => {
  const { gateway, remote } = await open(t, {})
  const events: SignalboxEvent[] = []
  gateway.core.events.watch(event => events.push(event))
  const [provider] = gateway.core.inventory.providers()
  const change = async (output: number) => {
    remote.script = { ...remote.script, models: [{ ...paid, price: { input: 3, output } }] }
    await gateway.core.inventory.refetch(provider!, new AbortController().signal)
  }
  await change(16)
  t.same(events, [])
  await change(24)
  t.same(events, [
    { type: 'price.changed', model: 'openrouter/lab/paid', price: 'output', beforeUsd: 16, afterUsd: 24 },
  ])
  t.match(notableChange({ input: 0, output: 0 }, { input: 1, output: 0 }), { rate: 'input', afterUsd: 1 })
})

t.test('a request is compared with the most expensive candidate that was good enough', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: [small], answer: { usage } })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [paid, { name: 'lab/cheap', price: { input: 1, output: 1 } }],
  })
  const gateway = await startGateway(t, variablesFor(local, remote))
  await gateway.ask({ model: 'auto' })
  const [row] = await gateway.core.ledger.recent(1)
  t.match(row, { model: 'llama-cpp/small', cost_usd: 0 })
  t.match(row, { reference_model: 'openrouter/lab/paid', reference_cost_usd: 4.5 })
})

t.test('a request is compared with REFERENCE_MODEL, which may be one of the shipped list', async t => {
  const { gateway } = await open(t, { REFERENCE_MODEL: 'openai/gpt-4o' })
  await gateway.ask({ model: 'openrouter/lab/paid' })
  const [row] = await gateway.core.ledger.recent(1)
  t.match(row, { cost_usd: 4.5, reference_model: 'openai/gpt-4o', reference_cost_usd: 3.5 })
})

t.test('an attempt that failed counts against what was saved', async t => {
  const { gateway, remote } = await open(t, {})
  remote.script = { ...remote.script, answer: { error: { status: 400, message: 'No.' } } }
  await gateway.ask({ model: 'openrouter/lab/paid' })
  t.match(await gateway.core.ledger.recent(1), [{ reference_model: 'openrouter/lab/paid', reference_cost_usd: 0 }])
})

async function open(t: Test, variables: Record<string, string>) {
  const remote = await scriptedUpstream(t, 'openrouter', { models: [paid], answer: { usage } })
  return { remote, gateway: await startGateway(t, { ...variablesFor(remote), ...variables }) }
}

async function lastAttempt(gateway: TestGateway) {
  const [row] = await gateway.core.ledger.recent(1)
  return (await gateway.core.ledger.request(row!.id))!.attempts.at(-1)!
}
