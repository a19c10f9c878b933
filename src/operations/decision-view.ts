import { z } from 'zod'
import type { Decision } from '../router/decide.ts'
import { explain, type ExplainedCandidate } from '../router/explain.ts'

const BenchmarkCandidate = z.object({
  model: z.string(),
  provider: z.string(),
  tier: z.enum(['local', 'remote']),
  loaded: z.boolean().nullable(),
  estimated_cost_usd: z.number().nullable().describe('Null where the price is unknown.'),
  quality: z.number().describe('Predicted, 0 to 1.'),
  quality_low: z.number(),
  quality_high: z.number(),
  observations: z.number().describe('Number of observations behind the prediction.'),
  seconds: z.number(),
  lost_because: z.string().describe('Empty for the chosen model.'),
  flip: z.string().describe('What would make the router choose it.'),
})

export const DecisionView = z.object({
  model: z.string().nullable().describe('The model that would run it; null when none can.'),
  provider: z.string().nullable(),
  reason: z.string(),
  estimated_cost_usd: z.number().nullable(),
  prompt_tokens: z.int(),
  candidates: z.array(BenchmarkCandidate).describe('Best first; each is tried if the previous one fails.'),
  excluded: z.array(z.object({ model: z.string(), why: z.string() })),
  dropped_count: z.int(),
})
export type DecisionView = z.output<typeof DecisionView>

const maxShown = 20

/** A decision for display: the chosen model, its price, and why not the others. */
export function decisionView(decision: Decision): DecisionView {
  const { measured, ranked, excluded, reason } = decision
  const explained = new Map(explain(decision).candidates.map(candidate => [candidate.model, candidate]))
  const candidates = ranked.slice(0, maxShown).map(model => ({
    ...judgement(explained.get(model.id)),
    model: model.id,
    provider: model.provider,
    tier: model.tier,
    loaded: model.loaded ?? null,
  }))
  const [first] = candidates
  return {
    model: first?.model ?? null,
    provider: first?.provider ?? null,
    reason,
    estimated_cost_usd: first?.estimated_cost_usd ?? null,
    prompt_tokens: measured.promptTokens,
    candidates,
    excluded: excluded.slice(0, maxShown).map(({ model, exclusion }) => ({ model: model.id, why: exclusion.reason })),
    dropped_count: excluded.length,
  }
}

function judgement(candidate: ExplainedCandidate | undefined) {
  return {
    estimated_cost_usd: candidate?.cost_usd ?? null,
    quality: candidate?.quality ?? 0,
    quality_low: candidate?.low ?? 0,
    quality_high: candidate?.high ?? 1,
    observations: candidate?.n ?? 0,
    seconds: candidate?.seconds ?? 0,
    lost_because: candidate?.lost_because ?? '',
    flip: candidate?.flip ?? '',
  }
}
