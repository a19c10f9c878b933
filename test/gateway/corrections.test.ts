import { setTimeout } from 'node:timers/promises'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { startCorrections } from '../../src/gateway/corrections.ts'
import type { EstimatedAttempt } from '../../src/ledger/charges.ts'
import { noUsage, type Usage } from '../../src/wire/usage.ts'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'
import { openTestLedger, recordOf } from '../ledger/open-ledger.ts'

const model = { name: 'lab/paid', price: { input: 3, output: 15, cacheRead: 0.3 } }
const bill = {
  id: 'gen-1',
  total_cost: 0.00123,
  is_byok: false,
  upstream_inference_cost: 0.00123,
  native_tokens_prompt: 100,
  native_tokens_completion: 30,
  native_tokens_reasoning: 10,
  native_tokens_cached: 60,
}

t.test('an aborted request is corrected to what OpenRouter says it billed', async t => {
  const { gateway, remote } = await openAborted(t)
  const estimated = await lastStored(gateway)
  t.match(estimated.attempts, [{ generation_id: 'gen-1', usage_estimated: true, partial: true }])
  remote.script = { ...remote.script, route: ({ path }) => (isGeneration(path) ? { json: { data: bill } } : undefined) }

  const { request, attempts } = await untilCorrected(gateway)
  const corrected = {
    input_tokens: 40,
    cache_read_tokens: 60,
    output_tokens: 30,
    reasoning_tokens: 10,
    cost_usd: 0.00123,
    byok_cost_usd: 0,
    partial: true,
    usage_estimated: false,
  }
  t.match(request, { ...corrected, outcome: 'cancelled' })
  t.match(attempts, [corrected])
  t.match((await gateway.get('/v1/usage')).json.totals, { cost_usd: 0.00123, partial_requests: 1 })
})

t.test('an estimate that was not corrected before a restart is corrected after it', async t => {
  const ledger = openTestLedger(t)
  ledger.record(estimatedRecord('req-1'))
  const corrections = start(t, ledger, async id => (id === 'gen-req-1' ? billed : undefined))
  await until(async () => (await ledger.request('req-1'))?.request.usage_estimated === false)
  t.match((await ledger.request('req-1'))?.request, { cost_usd: 0.25, output_tokens: 9 })
  t.same(await ledger.estimated(0, 10), [])
  await corrections.close()
})

t.test('a bill that is not there yet is asked for again, and not for ever', async t => {
  const ledger = openTestLedger(t)
  const asked: string[] = []
  const corrections = start(t, ledger, async id => {
    asked.push(id)
    if (id === 'gen-late' && asked.filter(each => each === id).length === 2) return billed
    if (id === 'gen-broken') throw new Error('the network is away')
    return undefined
  })
  for (const id of ['late', 'never', 'broken']) {
    const record = estimatedRecord(id)
    ledger.record(record)
    corrections.add({ requestId: id, keyId: 'anonymous' }, record.attempts)
  }
  await until(() => Promise.resolve(asked.length >= 8))
  await setTimeout(20)
  t.same(asked.toSorted(), [
    ...Array<string>(3).fill('gen-broken'),
    ...Array<string>(2).fill('gen-late'),
    ...Array<string>(3).fill('gen-never'),
  ])
  t.match((await ledger.request('late'))?.request, { usage_estimated: false })
  t.match((await ledger.request('never'))?.request, { usage_estimated: true })
  await corrections.close()
})

t.test('a correction changes its attempt once, and the request is the sum of its attempts', async t => {
  const ledger = openTestLedger(t)
  const [estimated] = estimatedRecord('req-1').attempts
  const known = { ...estimated!, costUsd: 0.1, usage: { ...noUsage, inputTokens: 5 }, generationId: undefined }
  const record = recordOf('req-1', { attempts: [known, estimated!], costUsd: 0.4 })
  ledger.record(record)
  t.equal(await ledger.correct({ requestId: 'req-1', ordinal: 0 }, billed), false, 'the first needs none')
  t.equal(await ledger.correct({ requestId: 'req-1', ordinal: 1 }, billed), true)
  t.equal(await ledger.correct({ requestId: 'req-1', ordinal: 1 }, { ...billed, reportedCostUsd: 7 }), false)
  t.equal(await ledger.correct({ requestId: 'unknown', ordinal: 0 }, billed), false)
  t.match(await ledger.request('req-1'), {
    request: { cost_usd: 0.35, byok_cost_usd: 0.2, input_tokens: 13, output_tokens: 9, usage_estimated: false },
    attempts: [
      { cost_usd: 0.1, usage_estimated: false },
      { cost_usd: 0.25, byok_cost_usd: 0.2 },
    ],
  })
})

const billed: Usage = { ...noUsage, inputTokens: 8, outputTokens: 9, reportedCostUsd: 0.05, byokCostUsd: 0.2 }

function estimatedRecord(id: string) {
  const usage = { ...noUsage, inputTokens: 10, outputTokens: 5, estimated: true, partial: true }
  const [attempt] = recordOf(id).attempts
  const attempts = [{ ...attempt!, usage, costUsd: 0.3, generationId: `gen-${id}` }]
  return recordOf(id, { outcome: 'cancelled', usage, costUsd: 0.3, attempts })
}

function start(
  t: Test,
  ledger: ReturnType<typeof openTestLedger>,
  bill: (id: EstimatedAttempt['generationId']) => Promise<Usage | undefined>,
) {
  const corrections = startCorrections({
    ledger,
    billOf: () => bill,
    credentialOf: () => undefined,
    now: () => Date.parse('2026-03-15T12:00:30Z'),
    log: pino({ level: 'silent' }),
    delaysMs: [1, 2, 3],
  })
  t.teardown(() => corrections.close())
  return corrections
}

/** A gateway whose last request was aborted while OpenRouter answered it, and OpenRouter does not know its bill yet. */
async function openAborted(t: Test) {
  const held = gate()
  t.teardown(held.open)
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [model],
    answer: {
      headers: { 'x-generation-id': 'gen-1' },
      text: ['Once ', 'upon '],
      hold: { before: 1, until: held.opened },
    },
    route: ({ path }) => (isGeneration(path) ? { status: 404, json: { error: { message: 'Not found' } } } : undefined),
  })
  const gateway = await startGateway(t, variablesFor(remote))
  const controller = new AbortController()
  const asked = gateway.ask({ model: 'openrouter/lab/paid' }, { signal: controller.signal })
  await remote.untilChats(1)
  await setTimeout(100)
  controller.abort()
  await t.rejects(asked)
  await gateway.core.gateway.idle()
  return { gateway, remote }
}

const isGeneration = (path: string) => path === '/api/v1/generation'

async function untilCorrected(gateway: TestGateway) {
  await until(async () => !(await lastStored(gateway)).request.usage_estimated)
  return lastStored(gateway)
}

async function lastStored({ core: { ledger } }: TestGateway) {
  const [row] = await ledger.recent(1)
  return (await ledger.request(row!.id))!
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(5)
}
