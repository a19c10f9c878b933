import { z } from 'zod'
import { createUsdSum, type UsdSum } from '../accounting/money.ts'
import { createLatency, type Latency } from './latency.ts'
import type { RequestOutcome } from './record.ts'
import { tokenColumns, tokenNames } from './row.ts'

const latency = z
  .number()
  .nullable()
  .describe('Milliseconds, of successful requests; whole numbers up to 1 s, three digits above.')

/** Sums of requests. Money is exact to the picodollar. */
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
  compared_requests: z.int().describe('Requests whose cost is compared with that on a reference model.'),
  reference_cost_usd: z.number().describe('What the tokens of those would have cost on the reference model.'),
  cost_avoided_usd: z.number().describe('That, less what they did cost.'),
  ttft_ms_mean: latency,
  ttft_ms_p50: latency,
  ttft_ms_p95: latency,
  duration_ms_mean: latency,
  duration_ms_p50: latency,
  duration_ms_p95: latency,
})
export type UsageFigures = z.output<typeof UsageFigures>

/** The columns that a tally sums up. */
export const tallyColumns: readonly string[] = [
  'outcome',
  'usage_estimated',
  'partial',
  'cost_usd',
  'energy_usd',
  'byok_cost_usd',
  'reference_cost_usd',
  'ttft_ms',
  'duration_ms',
  ...tokenNames,
]

const firstToken = tallyColumns.length - tokenNames.length

/** Sums up requests. */
export interface Tally {
  /** Adds a request: `cells` has its values of `tallyColumns` from `start` on. */
  add: (cells: readonly unknown[], start: number) => void
  /** USD. */
  cost: () => number
  requests: () => number
  figures: () => UsageFigures
}

export function createTally(): Tally {
  const outcomes: Record<RequestOutcome, number> = { ok: 0, error: 0, cancelled: 0 }
  const tokens = tokenNames.map(() => 0)
  const [cost, energy, byokCost, reference, avoided] = Array.from({ length: 5 }, createUsdSum) as Sums
  const [ttft, duration]: [Latency, Latency] = [createLatency(), createLatency()]
  let [estimated, partial, unknownCost, compared] = [0, 0, 0, 0]
  const requests = () => outcomes.ok + outcomes.error + outcomes.cancelled

  return {
    add(cells, start) {
      const outcome = cells[start] as RequestOutcome
      const costUsd = cells[start + 3] as number | null
      const energyUsd = cells[start + 4] as number
      const byokUsd = cells[start + 5] as number
      const referenceUsd = cells[start + 6] as number | null
      const ttftMs = cells[start + 7] as number | null
      outcomes[outcome] += 1
      estimated += cells[start + 1] as 0 | 1
      partial += cells[start + 2] as 0 | 1
      if (costUsd === null) unknownCost += 1
      else cost.add(costUsd)
      // Most requests have neither.
      if (energyUsd > 0) energy.add(energyUsd)
      if (byokUsd > 0) byokCost.add(byokUsd)
      if (referenceUsd !== null && costUsd !== null) {
        compared += 1
        reference.add(referenceUsd)
        avoided.add(referenceUsd)
        avoided.add(-costUsd)
      }
      for (let index = 0; index < tokens.length; index += 1)
        tokens[index]! += cells[start + firstToken + index] as number
      // A failure may be quick and a cancellation early; neither says how fast a model is.
      if (outcome !== 'ok') return
      if (ttftMs !== null) ttft.add(ttftMs)
      duration.add(cells[start + 8] as number)
    },
    cost: cost.total,
    requests,
    figures: () => ({
      requests: requests(),
      errors: outcomes.error,
      cancelled: outcomes.cancelled,
      ...(Object.fromEntries(tokenNames.map((name, index) => [name, tokens[index]])) as Record<
        keyof typeof tokenColumns,
        number
      >),
      estimated_requests: estimated,
      partial_requests: partial,
      cost_usd: cost.total(),
      energy_usd: energy.total(),
      byok_cost_usd: byokCost.total(),
      unknown_cost_requests: unknownCost,
      compared_requests: compared,
      reference_cost_usd: reference.total(),
      cost_avoided_usd: avoided.total(),
      ttft_ms_mean: ttft.mean(),
      ttft_ms_p50: ttft.percentile(50),
      ttft_ms_p95: ttft.percentile(95),
      duration_ms_mean: duration.mean(),
      duration_ms_p50: duration.percentile(50),
      duration_ms_p95: duration.percentile(95),
    }),
  }
}

type Sums = [UsdSum, UsdSum, UsdSum, UsdSum, UsdSum]
