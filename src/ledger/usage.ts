import { setImmediate } from 'node:timers/promises'
import type Database from 'better-sqlite3'
import { z } from 'zod'
import { createUsdSum, type UsdSum } from '../accounting/money.ts'
import type { RequestOutcome } from './record.ts'
import { createLatency, type Latency } from './latency.ts'
import { periodFields, periodProblem, rangeOf, type TimeRange } from './period.ts'
import { tokenColumns, tokenNames } from './row.ts'

/** What usage can be grouped by, and the SQL expression of a request's group. */
const groupings = {
  model: 'model',
  provider: 'provider',
  key: 'key_id',
  day: `strftime('%Y-%m-%d', created_at / 1000, 'unixepoch')`,
} as const
type Grouping = keyof typeof groupings

/** What to sum up: a period (see `rangeOf`) and the grouping. */
export const UsageQuery = z
  .strictObject({
    ...periodFields,
    group_by: z.enum(Object.keys(groupings) as [Grouping, ...Grouping[]]).default('model'),
  })
  .superRefine((query, context) => {
    const problem = periodProblem(query)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })
export type UsageQuery = z.output<typeof UsageQuery>

const latency = z
  .number()
  .nullable()
  .describe('Milliseconds, of successful requests; whole numbers up to 1 s, three digits above.')

export const UsageFigures = z.object({
  requests: z.int(),
  errors: z.int(),
  cancelled: z.int(),
  ...tokenColumns,
  estimated_requests: z.int().describe('Requests whose token counts are estimates.'),
  partial_requests: z.int().describe('Requests that ended early and count as far as they got.'),
  cost_usd: z.number().describe('Sum of the known costs.'),
  energy_usd: z.number().describe('The part of it for the electricity of local models.'),
  byok_cost_usd: z.number().describe('The part of it that providers bill to your own keys (BYOK).'),
  unknown_cost_requests: z.int().describe('Requests of unknown cost, not included in the sum.'),
  ttft_ms_mean: latency,
  ttft_ms_p50: latency,
  ttft_ms_p95: latency,
  duration_ms_mean: latency,
  duration_ms_p50: latency,
  duration_ms_p95: latency,
})
export type UsageFigures = z.output<typeof UsageFigures>

export const UsageReport = z.object({
  from: z.string().nullable().describe('Start of the period, inclusive; null: since the first record.'),
  to: z.string().describe('End of the period, exclusive.'),
  group_by: UsageQuery.shape.group_by.unwrap(),
  rows: z
    .array(UsageFigures.extend({ group: z.string().nullable().describe('Null: requests that no model answered.') }))
    .describe('Days in order; all other groups with the most expensive first.'),
  totals: UsageFigures,
})
export type UsageReport = z.output<typeof UsageReport>

/**
 * Sums up the requests of a query: those of the API key `keyId`, or all. Rejects with the signal's reason when it is
 * aborted.
 */
export type ReadUsage = (query: UsageQuery, nowMs: number, signal?: AbortSignal, keyId?: string) => Promise<UsageReport>

/** Requests read before yielding to the event loop; about 3 ms. */
const sliceRows = 1_000

export function createUsageReader(database: Database.Database): ReadUsage {
  const selects = Object.fromEntries(
    Object.entries(groupings).map(([grouping, group]) => [grouping, database.prepare(selectFor(group)).raw()]),
  ) as Record<Grouping, Database.Statement<[number, number, string | null, string | null]>>
  const sliceEnd = database
    .prepare<[number, number], number>(
      `SELECT created_at FROM requests WHERE created_at >= ? AND created_at < ? ORDER BY created_at LIMIT 1 OFFSET ${sliceRows}`,
    )
    .pluck()

  /** Splits a range into slices of about `sliceRows` requests; more only where one millisecond has more. */
  function* slices({ fromMs, toMs }: TimeRange): Generator<TimeRange> {
    let start = fromMs
    while (start < toMs) {
      const end = Math.max(sliceEnd.get(start, toMs) ?? toMs, start + 1)
      yield { fromMs: start, toMs: end }
      start = end
    }
  }

  return async (query, nowMs, signal, keyId) => {
    const range = rangeOf(query, nowMs)
    const groups = new Map<string | null, Tally>()
    const totals = createTally()
    for (const { fromMs, toMs } of slices(range)) {
      for (const row of selects[query.group_by].all(fromMs, toMs, keyId ?? null, keyId ?? null) as UsageCells[]) {
        const group = row[0]
        let tally = groups.get(group)
        if (tally === undefined) groups.set(group, (tally = createTally()))
        addTo(tally, row)
        addTo(totals, row)
      }
      await setImmediate()
      signal?.throwIfAborted()
    }
    const rows = [...groups].map(([group, tally]) => ({ group, ...figuresOf(tally) }))
    return {
      from: range.fromMs <= 0 ? null : new Date(range.fromMs).toISOString(),
      to: new Date(range.toMs).toISOString(),
      group_by: query.group_by,
      rows: rows.sort(query.group_by === 'day' ? byGroup : byCost),
      totals: figuresOf(totals),
    }
  }
}

function selectFor(group: string): string {
  return `SELECT ${group}, outcome, usage_estimated, partial, cost_usd, energy_usd, byok_cost_usd, ttft_ms, duration_ms,
    ${tokenNames.join(', ')}
    FROM requests WHERE created_at >= ? AND created_at < ? AND (? IS NULL OR key_id = ?)`
}

type UsageCells = [
  group: string | null,
  outcome: RequestOutcome,
  estimated: 0 | 1,
  partial: 0 | 1,
  costUsd: number | null,
  energyUsd: number,
  byokCostUsd: number,
  ttftMs: number | null,
  durationMs: number,
  ...tokens: number[],
]
const firstToken = 9

interface Tally {
  outcomes: Record<RequestOutcome, number>
  estimated: number
  partial: number
  cost: UsdSum
  energy: UsdSum
  byokCost: UsdSum
  unknownCost: number
  tokens: number[]
  ttft: Latency
  duration: Latency
}

function createTally(): Tally {
  return {
    outcomes: { ok: 0, error: 0, cancelled: 0 },
    estimated: 0,
    partial: 0,
    cost: createUsdSum(),
    energy: createUsdSum(),
    byokCost: createUsdSum(),
    unknownCost: 0,
    tokens: tokenNames.map(() => 0),
    ttft: createLatency(),
    duration: createLatency(),
  }
}

function addTo(tally: Tally, row: UsageCells): void {
  const [, outcome, estimated, partial, costUsd, energyUsd, byokCostUsd, ttftMs, durationMs] = row
  tally.outcomes[outcome] += 1
  tally.estimated += estimated
  tally.partial += partial
  if (costUsd === null) tally.unknownCost += 1
  else tally.cost.add(costUsd)
  // Most requests have neither.
  if (energyUsd > 0) tally.energy.add(energyUsd)
  if (byokCostUsd > 0) tally.byokCost.add(byokCostUsd)
  for (let index = 0; index < tally.tokens.length; index += 1) tally.tokens[index]! += row[firstToken + index] as number
  // A failure may be quick and a cancellation early; neither says how fast a model is.
  if (outcome !== 'ok') return
  if (ttftMs !== null) tally.ttft.add(ttftMs)
  tally.duration.add(durationMs)
}

function figuresOf(tally: Tally): UsageFigures {
  const { outcomes, estimated, partial, unknownCost, tokens, ttft, duration } = tally
  return {
    requests: outcomes.ok + outcomes.error + outcomes.cancelled,
    errors: outcomes.error,
    cancelled: outcomes.cancelled,
    ...(Object.fromEntries(tokenNames.map((name, index) => [name, tokens[index]])) as Record<
      keyof typeof tokenColumns,
      number
    >),
    estimated_requests: estimated,
    partial_requests: partial,
    cost_usd: tally.cost.total(),
    energy_usd: tally.energy.total(),
    byok_cost_usd: tally.byokCost.total(),
    unknown_cost_requests: unknownCost,
    ttft_ms_mean: ttft.mean(),
    ttft_ms_p50: ttft.percentile(50),
    ttft_ms_p95: ttft.percentile(95),
    duration_ms_mean: duration.mean(),
    duration_ms_p50: duration.percentile(50),
    duration_ms_p95: duration.percentile(95),
  }
}

type GroupRow = UsageReport['rows'][number]

function byGroup(a: GroupRow, b: GroupRow): number {
  return (a.group ?? '') < (b.group ?? '') ? -1 : 1
}

function byCost(a: GroupRow, b: GroupRow): number {
  return b.cost_usd - a.cost_usd || b.requests - a.requests || byGroup(a, b)
}
