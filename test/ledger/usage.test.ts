import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import type { RequestRecord } from '../../src/ledger/record.ts'
import { UsageQuery, UsageReport } from '../../src/ledger/usage.ts'
import { recordOf, noon, openTestLedger } from './open-ledger.ts'

const hour = 3_600_000
const day = 24 * hour

const groupOf: Record<UsageQuery['group_by'], (entry: RequestRecord) => string | null> = {
  model: entry => entry.model ?? null,
  provider: entry => entry.provider ?? null,
  key: entry => entry.keyId ?? 'anonymous',
  day: entry => new Date(entry.createdAt).toISOString().slice(0, 10),
}

const tokens = fc.nat({ max: 2_000_000 })
/** Picodollars, written as the number of USD that is nearest. */
const anyUsd = fc.bigInt({ min: 0n, max: 1_000_000_000_000_000n }).map(picos => Number(`${picos}e-12`))
const anyRecord = fc
  .record({
    createdAt: fc.integer({ min: noon - 3 * day, max: noon }),
    model: fc.option(fc.constantFrom('ollama/a', 'ollama/b', 'openrouter/a'), { nil: undefined }),
    provider: fc.option(fc.constantFrom('ollama', 'openrouter'), { nil: undefined }),
    keyId: fc.option(fc.constantFrom('laptop', '工作'), { nil: undefined }),
    outcome: fc.constantFrom('ok' as const, 'error' as const, 'cancelled' as const),
    usage: fc.record({
      inputTokens: tokens,
      cacheReadTokens: tokens,
      cacheWriteTokens: tokens,
      outputTokens: tokens,
      reasoningTokens: tokens,
      estimated: fc.option(fc.boolean(), { nil: undefined }),
      partial: fc.option(fc.boolean(), { nil: undefined }),
    }),
    costUsd: fc.option(anyUsd, { nil: undefined }),
    energyUsd: fc.option(anyUsd, { nil: undefined }),
    byokCostUsd: fc.option(anyUsd, { nil: undefined }),
    ttftMs: fc.option(fc.nat({ max: 999 }), { nil: undefined }),
    durationMs: fc.nat({ max: 999 }),
  })
  .map(changes => recordOf('', changes))

const anyQuery = fc.record({
  group_by: fc.constantFrom(...(Object.keys(groupOf) as UsageQuery['group_by'][])),
  period: fc.constantFrom('all', 'today', 'day', '2d', '7h', 'week', undefined),
})

t.test('sums equal the recorded values for any records and grouping', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRecord, { maxLength: 60 }), anyQuery, async (drawn, query) => {
      const entries = drawn.map((entry, index) => ({ ...entry, id: `req-${index}` }))
      const ledger = openTestLedger(t, { file: `${t.testdir()}/ledger.sqlite` })
      entries.forEach(ledger.record)
      const report = UsageReport.parse(await ledger.usage(query))
      await ledger.close()

      const from = report.from === null ? 0 : Date.parse(report.from)
      const counted = entries.filter(({ createdAt }) => createdAt >= from && createdAt < Date.parse(report.to))
      const nameOf = groupOf[query.group_by]
      assert.deepEqual(new Set(report.rows.map(row => row.group)), new Set(counted.map(nameOf)))
      for (const { group, ...figures } of report.rows) {
        assert.deepEqual(figures, expectedFigures(counted.filter(entry => nameOf(entry) === group)))
      }
      assert.deepEqual(report.totals, expectedFigures(counted))
    }),
    { numRuns: 60 },
  )
})

t.test('counts every request once where many share a millisecond and a slice ends among them', async t => {
  const ledger = openTestLedger(t)
  for (let index = 0; index < 4_500; index += 1) {
    const createdAt = index < 1_500 ? noon - 5 : noon - 4_500 + Math.floor(index / 3)
    ledger.record(recordOf(`req-${index}`, { createdAt, costUsd: 0.5 }))
  }
  t.match((await ledger.usage({ group_by: 'day', period: 'day' })).totals, {
    requests: 4_500,
    input_tokens: 45_000,
    cost_usd: 2_250,
  })
})

t.test('periods are interpreted in UTC', async t => {
  const ledger = openTestLedger(t)
  const ages = {
    now: 0,
    'this morning': 11 * hour,
    yesterday: 13 * hour,
    'two days ago': 2 * day,
    'in February': 29 * day,
  }
  for (const [id, age] of Object.entries(ages)) ledger.record(recordOf(id, { createdAt: noon - age }))
  ledger.record(recordOf('long ago', { createdAt: noon - 400 * day }))
  const count = async (query: object) =>
    (await ledger.usage(UsageQuery.parse({ group_by: 'day', ...query }))).totals.requests
  t.equal(await count({ period: 'today' }), 2)
  t.equal(await count({ period: 'day' }), 3)
  t.equal(await count({ period: '24h' }), 3)
  t.equal(await count({ period: '12h' }), 2)
  t.equal(await count({ period: '2d' }), 4)
  t.equal(await count({ period: 'week' }), 4)
  t.equal(await count({ period: 'month' }), 5)
  t.equal(await count({}), 5, 'a month by default')
  t.equal(await count({ period: 'all' }), 6)
  t.equal(await count({ from: '2026-03-14', to: '2026-03-14' }), 1, 'an end date is inclusive')
  t.equal(await count({ from: '2026-03-15T01:00:00Z', to: '2026-03-15T12:00:00Z' }), 1, 'an end time is exclusive')
  t.equal(await count({ from: '2026-03-15T02:00:00+01:00' }), 2)
  t.equal(await count({ to: '2026-03-13' }), 3)
})

t.test('an invalid period is rejected with the accepted values', async t => {
  const problem = (query: object) => UsageQuery.safeParse(query).error?.issues[0]?.message
  t.match(problem({ period: 'fortnight' }), /must be today, day, week, month, all/)
  t.match(problem({ period: '0d' }), /must be today/)
  t.match(problem({ from: 'yesterday' }), /must be a date such as/)
  t.match(problem({ from: '2026-02-30' }), /must be a date such as/)
  t.match(problem({ period: 'day', from: '2026-01-01' }), /either period, or from and to/)
  t.match(problem({ from: '2026-01-02', to: '2026-01-01' }), /from must be before to/)
  t.match(problem({ group_by: 'colour' }), /model/)
  t.match(problem({ groupby: 'day' }), /groupby/)
  t.same(UsageQuery.parse({}), { group_by: 'model' })
})

t.test('the most expensive group comes first, days come in order', async t => {
  const ledger = openTestLedger(t)
  ledger.record(recordOf('a', { model: 'cheap', costUsd: 0.1, createdAt: noon - day }))
  ledger.record(recordOf('b', { model: 'dear', costUsd: 2, createdAt: noon - 3 * day }))
  ledger.record(recordOf('c', { model: 'cheap', costUsd: 0.2, createdAt: noon - 2 * day }))
  const groups = async (group_by: UsageQuery['group_by']) =>
    (await ledger.usage({ group_by, period: 'week' })).rows.map(row => [row.group, row.cost_usd])
  t.same(await groups('model'), [
    ['dear', 2],
    ['cheap', 0.3],
  ])
  t.same(await groups('day'), [
    ['2026-03-12', 2],
    ['2026-03-13', 0.2],
    ['2026-03-14', 0.1],
  ])
})

t.test('latencies are those of successful requests, to three digits above a second', async t => {
  const ledger = openTestLedger(t)
  for (let index = 1; index <= 100; index += 1) {
    ledger.record(recordOf(`req-${index}`, { ttftMs: index, durationMs: 12_340 + index }))
  }
  ledger.record(recordOf('quick failure', { outcome: 'error', ttftMs: 0, durationMs: 0 }))
  ledger.record(recordOf('early disconnect', { outcome: 'cancelled', ttftMs: undefined, durationMs: 0 }))
  t.match((await ledger.usage({ group_by: 'model' })).totals, {
    ttft_ms_mean: 51,
    ttft_ms_p50: 50,
    ttft_ms_p95: 95,
    duration_ms_mean: 12_400,
    duration_ms_p50: 12_400,
    duration_ms_p95: 12_400,
  })
})

t.test('an aborted reader stops the sum', async t => {
  const ledger = openTestLedger(t)
  ledger.record(recordOf('req-1'))
  await t.rejects(ledger.usage({ group_by: 'model' }, AbortSignal.abort(new Error('gone'))), /gone/)
})

function expectedFigures(entries: readonly RequestRecord[]): object {
  const sum = (value: (entry: RequestRecord) => number) => entries.reduce((total, entry) => total + value(entry), 0)
  const good = entries.filter(entry => entry.outcome === 'ok')
  const ttfts = good.flatMap(entry => entry.ttftMs ?? []).sort((a, b) => a - b)
  const durations = good.map(entry => entry.durationMs).sort((a, b) => a - b)
  const mean = (values: readonly number[]) =>
    values.length === 0 ? null : Math.round(values.reduce((total, value) => total + value, 0) / values.length)
  const percentile = (values: readonly number[], percent: number) =>
    values[Math.ceil((values.length * percent) / 100) - 1] ?? null
  return {
    requests: entries.length,
    errors: entries.filter(entry => entry.outcome === 'error').length,
    cancelled: entries.filter(entry => entry.outcome === 'cancelled').length,
    input_tokens: sum(entry => entry.usage.inputTokens),
    cache_read_tokens: sum(entry => entry.usage.cacheReadTokens),
    cache_write_tokens: sum(entry => entry.usage.cacheWriteTokens),
    output_tokens: sum(entry => entry.usage.outputTokens),
    reasoning_tokens: sum(entry => entry.usage.reasoningTokens),
    estimated_requests: entries.filter(entry => entry.usage.estimated === true).length,
    partial_requests: entries.filter(entry => entry.usage.partial === true).length,
    cost_usd: exactSum(entries.map(entry => entry.costUsd)),
    energy_usd: exactSum(entries.map(entry => entry.energyUsd)),
    byok_cost_usd: exactSum(entries.map(entry => entry.byokCostUsd)),
    unknown_cost_requests: entries.filter(entry => entry.costUsd === undefined).length,
    ttft_ms_mean: mean(ttfts),
    ttft_ms_p50: percentile(ttfts, 50),
    ttft_ms_p95: percentile(ttfts, 95),
    duration_ms_mean: mean(durations),
    duration_ms_p50: percentile(durations, 50),
    duration_ms_p95: percentile(durations, 95),
  }
}

/** Of decimal fractions, digit by digit. */
function exactSum(amounts: readonly (number | undefined)[]): number {
  const picos = amounts.map(usd => BigInt((usd ?? 0).toFixed(12).replace('.', '')))
  return Number(`${picos.reduce((total, each) => total + each, 0n)}e-12`)
}
