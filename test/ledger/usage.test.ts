import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import type { RequestRecord } from '../../src/ledger/record.ts'
import { UsageReport } from '../../src/ledger/usage.ts'
import { UsageRequest, type Grouping } from '../../src/ledger/usage-query.ts'
import { recordOf, noon, openTestLedger } from './open-ledger.ts'

const hour = 3_600_000
const day = 24 * hour

const isoTime = (entry: RequestRecord, digits: number) => new Date(entry.createdAt).toISOString().slice(0, digits)
/** The groups of a request: several where it has several tags. */
const groupsOf: Record<Exclude<Grouping, 'week'>, (entry: RequestRecord) => (string | null)[]> = {
  model: entry => [entry.model ?? null],
  provider: entry => [entry.provider ?? null],
  tier: entry => [entry.tier ?? null],
  key: entry => [entry.keyId ?? 'anonymous'],
  // No key was issued here.
  owner: () => [null],
  session: entry => [entry.session ?? null],
  tag: ({ tags = [] }) => (tags.length === 0 ? [null] : [...new Set(tags)]),
  task: entry => [entry.task ?? null],
  endpoint: entry => [entry.endpoint],
  outcome: entry => [entry.outcome],
  minute: entry => [`${isoTime(entry, 16)}Z`],
  hour: entry => [`${isoTime(entry, 13)}:00Z`],
  day: entry => [isoTime(entry, 10)],
  month: entry => [isoTime(entry, 7)],
}
type Tested = keyof typeof groupsOf

const tokens = fc.nat({ max: 2_000_000 })
/** Picodollars, written as the number of USD that is nearest. */
const anyUsd = fc.bigInt({ min: 0n, max: 1_000_000_000_000_000n }).map(picos => Number(`${picos}e-12`))
const anyRecord = fc
  .record({
    createdAt: fc.integer({ min: noon - 3 * day, max: noon }),
    model: fc.option(fc.constantFrom('ollama/a', 'ollama/b', 'openrouter/a'), { nil: undefined }),
    provider: fc.option(fc.constantFrom('ollama', 'openrouter'), { nil: undefined }),
    keyId: fc.option(fc.constantFrom('laptop', '工作'), { nil: undefined }),
    tags: fc.option(fc.array(fc.constantFrom('night', 'batch', 'a,b'), { maxLength: 3 }), { nil: undefined }),
    session: fc.option(fc.constantFrom('s1', 's2'), { nil: undefined }),
    task: fc.option(fc.constantFrom('t1', 't2'), { nil: undefined }),
    endpoint: fc.constantFrom('chat', 'embeddings'),
    reference: fc.option(
      anyUsd.map(costUsd => ({ model: 'big', costUsd })),
      { nil: undefined },
    ),
    outcome: fc.constantFrom('ok' as const, 'error' as const, 'cancelled' as const),
    usage: fc.record({
      inputTokens: tokens,
      cacheReadTokens: tokens,
      cacheWriteTokens: tokens,
      outputTokens: tokens,
      reasoningTokens: tokens,
      cacheWrite1hTokens: tokens,
      audioInputTokens: tokens,
      imageInputTokens: tokens,
      audioOutputTokens: tokens,
      imageOutputTokens: tokens,
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
  group_by: fc.uniqueArray(fc.constantFrom(...(Object.keys(groupsOf) as Tested[])), { minLength: 1, maxLength: 3 }),
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
      const labelsOf = (entry: RequestRecord) =>
        query.group_by
          .reduce<(string | null)[][]>(
            (groups, name) => groups.flatMap(group => groupsOf[name](entry).map(value => [...group, value])),
            [[]],
          )
          .map(group => JSON.stringify(group))
      const labelOf = ({ group }: UsageReport['rows'][number]) =>
        JSON.stringify(query.group_by.map(name => group[name]))
      assert.deepEqual(new Set(report.rows.map(labelOf)), new Set(counted.flatMap(labelsOf)))
      for (const { group, ...figures } of report.rows) {
        const label = labelOf({ group, ...figures })
        assert.deepEqual(figures, expectedFigures(counted.filter(entry => labelsOf(entry).includes(label))))
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
  t.match((await ledger.usage({ group_by: ['day'], period: 'day' })).totals, {
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
    (await ledger.usage(UsageRequest.parse({ group_by: 'day', ...query }))).totals.requests
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
  const problem = (query: object) => UsageRequest.safeParse(query).error?.issues[0]?.message
  t.match(problem({ period: 'fortnight' }), /must be today, day, week, month, all/)
  t.match(problem({ period: '0d' }), /must be today/)
  t.match(problem({ from: 'yesterday' }), /must be a date such as/)
  t.match(problem({ from: '2026-02-30' }), /must be a date such as/)
  t.match(problem({ period: 'day', from: '2026-01-01' }), /either period, or from and to/)
  t.match(problem({ from: '2026-01-02', to: '2026-01-01' }), /from must be before to/)
  t.match(problem({ group_by: 'colour' }), /model/)
  t.match(problem({ groupby: 'day' }), /groupby/)
  t.match(problem({ time_zone: 'Mars/Olympus' }), /time zone such as/)
  t.match(problem({ outcome: 'perhaps' }), /ok/)
  t.match(problem({ group_by: 'model,day,key,tag,task' }), /4/)
  t.same(UsageRequest.parse({}), { group_by: ['model'], limit: 1000 })
  t.same(UsageRequest.parse({ group_by: 'day, model' }), { group_by: ['day', 'model'], limit: 1000 })
})

t.test('the most expensive group comes first, days come in order', async t => {
  const ledger = openTestLedger(t)
  ledger.record(recordOf('a', { model: 'cheap', costUsd: 0.1, createdAt: noon - day }))
  ledger.record(recordOf('b', { model: 'dear', costUsd: 2, createdAt: noon - 3 * day }))
  ledger.record(recordOf('c', { model: 'cheap', costUsd: 0.2, createdAt: noon - 2 * day }))
  const groups = async (name: Grouping) =>
    (await ledger.usage({ group_by: [name], period: 'week' })).rows.map(row => [row.group[name], row.cost_usd])
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

t.test('filters leave only the requests with one of their values', async t => {
  const ledger = openTestLedger(t)
  ledger.record(recordOf('a', { keyId: 'laptop', tags: ['night', 'batch'], costUsd: 1 }))
  ledger.record(recordOf('b', { keyId: 'laptop', tags: ['batch'], outcome: 'error', costUsd: 2 }))
  ledger.record(recordOf('c', { keyId: 'server', session: 'it’s "quoted"', costUsd: 4 }))
  const cost = async (query: object) => (await ledger.usage(UsageRequest.parse(query))).totals.cost_usd
  t.equal(await cost({ key: 'laptop' }), 3)
  t.equal(await cost({ key: 'laptop,server' }), 7)
  t.equal(await cost({ tag: 'night' }), 1)
  t.equal(await cost({ tag: ['night', 'batch'], outcome: 'error' }), 2)
  t.equal(await cost({ session: ['it’s "quoted"'] }), 4)
  t.equal(await cost({ model: 'no such model' }), 0)
  t.equal(
    (await ledger.usage({ group_by: ['model'], key: ['laptop', 'server'] }, undefined, 'server')).totals.cost_usd,
    4,
  )
})

t.test('a request with several tags counts in each of their groups and once in the total', async t => {
  const ledger = openTestLedger(t)
  ledger.record(recordOf('a', { tags: ['night', 'batch', 'night'], costUsd: 1 }))
  ledger.record(recordOf('b', { costUsd: 2 }))
  const { rows, totals } = await ledger.usage({ group_by: ['tag'] })
  t.same(
    rows.map(row => [row.group.tag, row.requests, row.cost_usd]),
    [
      [null, 1, 2],
      ['batch', 1, 1],
      ['night', 1, 1],
    ],
  )
  t.match(totals, { requests: 2, cost_usd: 3 })
})

t.test('days, weeks and months are those of the time zone, over changes of the clock', async t => {
  // On 29 March 2026 Berlin goes from UTC+1 to UTC+2: that day has 23 hours.
  const at = (time: string) => Date.parse(time)
  const ledger = openTestLedger(t, { now: () => at('2026-03-30T12:00:00Z') })
  const times = ['2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z', '2026-02-28T23:30:00Z']
  for (const time of times) ledger.record(recordOf(time, { createdAt: at(time), costUsd: 1 }))
  const groups = async (query: object) => {
    const { rows } = await ledger.usage(UsageRequest.parse({ period: 'all', time_zone: 'Europe/Berlin', ...query }))
    return rows.map(({ group, requests }) => [...Object.values(group), requests])
  }
  t.same(await groups({ group_by: 'day' }), [
    ['2026-03-01', 1],
    ['2026-03-29', 2],
    ['2026-03-30', 1],
  ])
  t.same(await groups({ group_by: 'week' }), [
    ['2026-02-23', 1],
    ['2026-03-23', 2],
    ['2026-03-30', 1],
  ])
  t.same(await groups({ group_by: 'month' }), [['2026-03', 4]])
  t.same(await groups({ group_by: 'month', time_zone: 'UTC' }), [
    ['2026-02', 1],
    ['2026-03', 3],
  ])
  t.same(await groups({ group_by: 'day', period: undefined, from: '2026-03-29', to: '2026-03-29' }), [
    ['2026-03-29', 2],
  ])
  t.same(await groups({ group_by: 'day', period: 'today' }), [['2026-03-30', 1]])
  const kiritimati = { group_by: 'day', period: undefined, from: '2026-03-29', time_zone: 'Pacific/Kiritimati' }
  t.same(
    await groups(kiritimati),
    [
      ['2026-03-29', 1],
      ['2026-03-30', 2],
    ],
    'a zone 14 hours ahead of UTC',
  )
})

t.test('pages follow each other without a gap, and the totals are those of all rows', async t => {
  const ledger = openTestLedger(t)
  for (let n = 0; n < 25; n++) ledger.record(recordOf(`req-${n}`, { session: `s${n}`, costUsd: n }))
  const seen: (string | null | undefined)[] = []
  let page: string | null = '0'
  let pages = 0
  while (page !== null) {
    const report = await ledger.usage({ group_by: ['session'], limit: 10, page: Number(page) })
    t.match(report.totals, { requests: 25, cost_usd: 300 })
    seen.push(...report.rows.map(({ group }) => group.session))
    page = report.next_page
    pages++
  }
  t.equal(pages, 3)
  t.same(
    seen,
    Array.from({ length: 25 }, (_, n) => `s${24 - n}`),
  )
})

t.test('more groups than can be held are refused with what to do', async t => {
  const ledger = openTestLedger(t, { maxBuffered: 20_000 })
  for (let n = 0; n <= 10_000; n++) ledger.record(recordOf(`req-${n}`, { session: `s${n}` }))
  await t.rejects(ledger.usage({ group_by: ['session'] }), { code: 'invalid_request', message: /shorter period/ })
})

t.test('latencies are those of successful requests, to three digits above a second', async t => {
  const ledger = openTestLedger(t)
  for (let index = 1; index <= 100; index += 1) {
    ledger.record(recordOf(`req-${index}`, { ttftMs: index, durationMs: 12_340 + index }))
  }
  ledger.record(recordOf('quick failure', { outcome: 'error', ttftMs: 0, durationMs: 0 }))
  ledger.record(recordOf('early disconnect', { outcome: 'cancelled', ttftMs: undefined, durationMs: 0 }))
  t.match((await ledger.usage({ group_by: ['model'] })).totals, {
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
  await t.rejects(ledger.usage({ group_by: ['model'] }, AbortSignal.abort(new Error('gone'))), /gone/)
})

function expectedFigures(entries: readonly RequestRecord[]): object {
  const sum = (value: (entry: RequestRecord) => number) => entries.reduce((total, entry) => total + value(entry), 0)
  const compared = entries.filter(entry => entry.costUsd !== undefined && entry.reference !== undefined)
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
    cache_write_1h_tokens: sum(entry => entry.usage.cacheWrite1hTokens ?? 0),
    audio_input_tokens: sum(entry => entry.usage.audioInputTokens ?? 0),
    image_input_tokens: sum(entry => entry.usage.imageInputTokens ?? 0),
    audio_output_tokens: sum(entry => entry.usage.audioOutputTokens ?? 0),
    image_output_tokens: sum(entry => entry.usage.imageOutputTokens ?? 0),
    estimated_requests: entries.filter(entry => entry.usage.estimated === true).length,
    partial_requests: entries.filter(entry => entry.usage.partial === true).length,
    cost_usd: exactSum(entries.map(entry => entry.costUsd)),
    energy_usd: exactSum(entries.map(entry => entry.energyUsd)),
    byok_cost_usd: exactSum(entries.map(entry => entry.byokCostUsd)),
    unknown_cost_requests: entries.filter(entry => entry.costUsd === undefined).length,
    compared_requests: compared.length,
    reference_cost_usd: exactSum(compared.map(entry => entry.reference?.costUsd)),
    cost_avoided_usd: exactSum([
      ...compared.map(entry => entry.reference?.costUsd),
      ...compared.map(entry => -(entry.costUsd ?? 0)),
    ]),
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
