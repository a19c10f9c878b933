import { z } from 'zod'
import type { Core } from '../core.ts'
import { groupings, UsageRequest } from '../ledger/usage-query.ts'
import { readFields } from '../wire/read-body.ts'
import { ownerShownTo } from './access.ts'
import { operation } from './operation.ts'

const Figures = z.object({
  requests: z.int(),
  errors: z.int(),
  input_tokens: z.int().describe('All prompt tokens, cached ones included.'),
  output_tokens: z.int(),
  cost_usd: z.number(),
  energy_usd: z.number().describe('Part of the cost: electricity of local models.'),
  cost_avoided_usd: z.number().describe('What the same tokens would have cost more on the reference model.'),
  unknown_cost_requests: z.int(),
})

export const cost = operation({
  name: 'cost',
  summary:
    'Your usage and cost in a period (all keys’ for an admin key), by model, provider, API key, day, tag and more; most expensive first.',
  effect: 'read',
  core: true,
  input: z.strictObject({
    period: z.string().default('today').describe('today, day, week, month, all, or a duration such as 7d or 24h.'),
    group_by: z.enum(groupings).default('model'),
  }),
  output: z.object({
    from: z.string().nullable(),
    to: z.string(),
    total: Figures,
    rows: z.array(Figures.extend({ group: z.string().nullable().describe('Null: no model answered.') })),
  }),
  run: async ({ ledger }: Core, { period, group_by }, { signal, principal }) => {
    const query = readFields(UsageRequest, { period, group_by: [group_by] })
    const { from, to, totals, rows } = await ledger.usage(query, signal, ownerShownTo(principal))
    return {
      from,
      to,
      total: compact(totals),
      rows: rows.map(row => ({ group: row.group[group_by] ?? null, ...compact(row) })),
    }
  },
})

interface AllFigures extends z.output<typeof Figures> {
  cache_read_tokens: number
  cache_write_tokens: number
}

function compact(figures: AllFigures): z.output<typeof Figures> {
  return {
    requests: figures.requests,
    errors: figures.errors,
    input_tokens: figures.input_tokens + figures.cache_read_tokens + figures.cache_write_tokens,
    output_tokens: figures.output_tokens,
    cost_usd: figures.cost_usd,
    energy_usd: figures.energy_usd,
    cost_avoided_usd: figures.cost_avoided_usd,
    unknown_cost_requests: figures.unknown_cost_requests,
  }
}
