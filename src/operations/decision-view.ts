import { z } from 'zod'
import type { Model } from '../providers/provider.ts'
import type { Decision } from '../router/decide.ts'
import { priceAt } from '../wire/usage.ts'

const Candidate = z.object({
  model: z.string(),
  provider: z.string(),
  tier: z.enum(['local', 'remote']),
  loaded: z.boolean().nullable(),
  estimated_cost_usd: z.number().nullable().describe('Null where the price is not known.'),
})

export const DecisionView = z.object({
  model: z.string().nullable().describe('The model that would do it; null when none can.'),
  provider: z.string().nullable(),
  reason: z.string(),
  estimated_cost_usd: z.number().nullable(),
  prompt_tokens: z.int(),
  candidates: z.array(Candidate).describe('Best first; each is tried when the one before fails.'),
  dropped: z.array(z.object({ model: z.string(), why: z.string() })),
  dropped_count: z.int(),
})
export type DecisionView = z.output<typeof DecisionView>

const mostShown = 20
const usualOutputTokens = 1024

/** A decision as people and agents see it: who would do it, at what price, and why the others would not. */
export function decisionView({ measured, ranked, dropped, reason }: Decision): DecisionView {
  const candidates = ranked.slice(0, mostShown).map(model => ({
    model: model.id,
    provider: model.provider,
    tier: model.tier,
    loaded: model.loaded ?? null,
    estimated_cost_usd: estimateUsd(model, measured.promptTokens, measured.outputTokens ?? usualOutputTokens),
  }))
  const [first] = candidates
  return {
    model: first?.model ?? null,
    provider: first?.provider ?? null,
    reason,
    estimated_cost_usd: first?.estimated_cost_usd ?? null,
    prompt_tokens: measured.promptTokens,
    candidates,
    dropped: dropped.slice(0, mostShown).map(({ model, drop }) => ({ model: model.id, why: drop.reason })),
    dropped_count: dropped.length,
  }
}

/** USD for a prompt and an answer of so many tokens; 0 for what costs nothing, null where nobody told the price. */
export function estimateUsd({ free, price }: Model, promptTokens: number, outputTokens: number): number | null {
  if (free) return 0
  if (price === undefined) return null
  const { input, output } = priceAt(price, promptTokens)
  return (promptTokens * input + outputTokens * output) / 1e6
}
