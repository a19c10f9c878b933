import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { SignalboxEvent } from '../../src/events.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { recordOf } from '../ledger/open-ledger.ts'

const model = { name: 'lab/paid', price: { input: 3, output: 15 } }

t.test('the first check is what the next one starts from, and equal totals are no drift', async t => {
  const { gateway, account, events, reconcile } = await open(t, 7)
  t.match(await reconcile(), { provider: 'openrouter', billed_usd: null, drift_usd: null, recorded_usd: 0 })
  await gateway.ask({ model: 'openrouter/lab/paid' })
  account.usage = 7.25
  const checked = await reconcile()
  t.match(checked, { recorded_usd: 0.25, billed_usd: 0.25, drift_usd: 0, rows: [] })
  t.match(checked.models, [{ model: 'openrouter/lab/paid', attempts: 1, recorded_usd: 0.25 }])
  t.same(events, [])
})

t.test('a drift is reported with the model and the calls behind it, and told as an event', async t => {
  const { gateway, account, events, reconcile } = await open(t, 0)
  await reconcile()
  await gateway.ask({ model: 'openrouter/lab/paid' })
  await gateway.ask({ model: 'openrouter/lab/paid' })
  account.usage = 0.75
  account.bills = { 'gen-0': 0.5, 'gen-1': 0.25 }
  const checked = await reconcile()
  t.match(checked, { recorded_usd: 0.5, billed_usd: 0.75, drift_usd: 0.25 })
  t.match(checked.models, [{ model: 'openrouter/lab/paid', attempts: 2, checked_attempts: 2, drift_usd: 0.25 }])
  t.match(checked.rows, [
    { model: 'openrouter/lab/paid', recorded_usd: 0.25, billed_usd: 0.5, reason: 'billed_otherwise' },
  ])
  t.equal(checked.rows.length, 1)
  t.match(events, [{ type: 'reconciliation.drift', provider: 'openrouter', recordedUsd: 0.5, billedUsd: 0.75 }])
})

t.test('an estimate whose bill is there by now is replaced by it, and no longer a drift', async t => {
  const { gateway, account, events, reconcile } = await open(t, 0)
  await reconcile()
  const attempt = recordOf('any').attempts[0]!
  const now = gateway.core.now()
  const estimated = {
    ...attempt,
    provider: 'openrouter',
    model: 'openrouter/lab/paid',
    startedAt: now,
    durationMs: 0,
    usage: { ...attempt.usage, estimated: true, partial: true },
    costUsd: 0.1,
    generationId: 'gen-late',
  }
  const usage = estimated.usage
  gateway.core.ledger.record(recordOf('req-late', { createdAt: now, usage, costUsd: 0.1, attempts: [estimated] }))
  account.usage = 0.125
  account.bills = { 'gen-late': 0.125 }
  // The clock of the check is exclusive.
  await setTimeout(5)
  t.match(await reconcile(), { recorded_usd: 0.125, billed_usd: 0.125, drift_usd: 0, corrected: 1, rows: [] })
  t.match((await gateway.core.ledger.request('req-late'))?.request, { cost_usd: 0.125, usage_estimated: false })
  t.same(events, [])
})

t.test('calls of unknown cost are named', async t => {
  const { gateway, reconcile } = await open(t, 0)
  await reconcile()
  const attempt = { ...recordOf('any').attempts[0]!, provider: 'openrouter', model: 'openrouter/lab/paid' }
  const now = gateway.core.now()
  const unknown = { ...attempt, startedAt: now, durationMs: 0, costUsd: undefined }
  gateway.core.ledger.record(recordOf('req-1', { createdAt: now, costUsd: undefined, attempts: [unknown] }))
  await setTimeout(5)
  t.match((await reconcile()).rows, [{ request_id: 'req-1', recorded_usd: null, reason: 'unknown_cost' }])
})

t.test('a server that cannot be asked is refused, and a bad answer changes nothing', async t => {
  const { gateway, account, reconcile } = await open(t, 1)
  t.equal((await gateway.post('/admin/reconcile_usage', { provider: 'llama-cpp' })).status, 400)
  await reconcile()
  account.broken = true
  t.equal((await gateway.post('/admin/reconcile_usage', {})).status, 502)
  account.broken = false
  account.usage = 1.5
  t.match(await reconcile(), { billed_usd: 0.5, drift_usd: 0.5 })
})

async function open(t: Test, usage: number) {
  const account = { usage, bills: {} as Record<string, number>, broken: false }
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [model],
    route({ path, query }) {
      if (path.endsWith('/key')) {
        return { json: { data: account.broken ? {} : { label: 'test', usage: account.usage, byok_usage: 0 } } }
      }
      const cost = path.endsWith('/generation') ? account.bills[query.get('id') ?? ''] : undefined
      return cost === undefined
        ? undefined
        : { json: { data: { total_cost: cost, native_tokens_prompt: 10, native_tokens_completion: 5 } } }
    },
    answer: (_, index) => ({
      usage: { promptTokens: 10, outputTokens: 5, costUsd: 0.25 },
      headers: { 'x-generation-id': `gen-${index}` },
    }),
  })
  const gateway = await startGateway(t, variablesFor(remote))
  const events: SignalboxEvent[] = []
  gateway.core.events.watch(event => events.push(event))
  const reconcile = async () => {
    await gateway.core.gateway.idle()
    return (await gateway.post('/admin/reconcile_usage', {})).json.providers[0]
  }
  return { gateway, account, events, reconcile }
}
