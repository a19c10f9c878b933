import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { createCalendar, type CalendarPeriod } from '../accounting/calendar.ts'
import { sumUsd } from '../accounting/money.ts'
import { GatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { StoredRequest } from '../ledger/row.ts'
import type { UsageFigures } from '../ledger/usage-tally.ts'
import { mayReach, ownerShownTo, requireScope } from '../operations/access.ts'
import { disconnectSignal } from '../operations/disconnect-signal.ts'
import { readFields } from '../wire/read-body.ts'

export const GenerationQuery = z.object({
  id: z.string().min(1).max(200).describe('The `x-signalbox-request-id` of an answer, or OpenRouter’s own id of it.'),
})

export interface OpenRouterAccountParts {
  ledger: Pick<Ledger, 'usage' | 'request' | 'requestOfGeneration'>
  /** Milliseconds since the epoch. */
  now: () => number
}

/**
 * What OpenRouter's clients ask about their account, answered from the ledger: `GET /key` (the caller's own usage), `/credits`
 * and `/generation?id=`. There is no balance here, so the figures of one are null.
 */
export function registerOpenRouterAccountRoutes(app: FastifyInstance, { ledger, now }: OpenRouterAccountParts): void {
  app.get('/key', async ({ principal }, reply) => {
    requireScope(principal, 'read')
    const { rows, totals } = await ledger.usage(
      { period: 'all', group_by: ['day'] },
      disconnectSignal(reply),
      principal.name,
    )
    const calendar = createCalendar('UTC')
    const since = (period: CalendarPeriod) => {
      const start = new Date(calendar.windowOf(period, now()).start).toISOString().slice(0, 10)
      return rows.filter(({ group }) => (group.day ?? '') >= start)
    }
    const [day, week, month] = [since('day'), since('week'), since('month')]
    return {
      data: {
        label: principal.name,
        limit: null,
        limit_remaining: null,
        limit_reset: null,
        include_byok_in_limit: false,
        usage: chargedUsd([totals]),
        usage_daily: chargedUsd(day),
        usage_weekly: chargedUsd(week),
        usage_monthly: chargedUsd(month),
        byok_usage: byokUsd([totals]),
        byok_usage_daily: byokUsd(day),
        byok_usage_weekly: byokUsd(week),
        byok_usage_monthly: byokUsd(month),
        is_free_tier: false,
        is_provisioning_key: principal.admin === true,
        expires_at: null,
      },
    }
  })

  app.get('/credits', async ({ principal }, reply) => {
    requireScope(principal, 'read')
    const query = { period: 'all', group_by: ['provider'] } as const
    const { totals } = await ledger.usage(query, disconnectSignal(reply), ownerShownTo(principal))
    return { data: { total_credits: null, total_usage: chargedUsd([totals]) } }
  })

  app.get('/generation', async ({ query, principal }) => {
    requireScope(principal, 'read')
    const { id } = readFields(GenerationQuery, query)
    const stored = await ledger.request((await ledger.requestOfGeneration(id)) ?? id)
    if (stored === undefined || !mayReach(principal, stored.request.key_id)) {
      throw new GatewayError('not_found', `No generation found with id '${id.slice(0, 100)}'.`)
    }
    return { data: generationOf(id, stored) }
  })
}

/** What was charged but for what a model's provider bills to the operator's own key there. */
function chargedUsd(figures: readonly Pick<UsageFigures, 'cost_usd' | 'byok_cost_usd'>[]): number {
  return sumUsd(figures.flatMap(({ cost_usd, byok_cost_usd }) => [cost_usd, -byok_cost_usd]))
}

function byokUsd(figures: readonly Pick<UsageFigures, 'byok_cost_usd'>[]): number {
  return sumUsd(figures.map(({ byok_cost_usd }) => byok_cost_usd))
}

/** A request in the fields of OpenRouter's generation; what is not known here is null. */
function generationOf(id: string, { request, attempts }: StoredRequest) {
  const { input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd, byok_cost_usd } = request
  const prompt = input_tokens + cache_read_tokens + cache_write_tokens
  const charged = cost_usd === null ? null : sumUsd([cost_usd, -byok_cost_usd])
  return {
    id,
    upstream_id: attempts.at(-1)?.generation_id ?? null,
    created_at: new Date(request.created_at).toISOString(),
    model: request.model,
    provider_name: request.provider,
    streamed: request.stream,
    cancelled: request.outcome === 'cancelled',
    latency: request.ttft_ms,
    generation_time: request.duration_ms,
    finish_reason: null,
    native_finish_reason: null,
    tokens_prompt: prompt,
    tokens_completion: output_tokens,
    native_tokens_prompt: prompt,
    native_tokens_completion: output_tokens,
    native_tokens_completion_images: request.image_output_tokens,
    native_tokens_reasoning: request.reasoning_tokens,
    native_tokens_cached: cache_read_tokens,
    total_cost: charged,
    usage: charged,
    cache_discount: null,
    is_byok: byok_cost_usd > 0,
    upstream_inference_cost: byok_cost_usd,
    api_type: request.endpoint,
  }
}
