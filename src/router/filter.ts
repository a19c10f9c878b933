import type { Model } from '../providers/provider.ts'
import type { DecisionContext } from './context.ts'
import type { Measured } from './measure.ts'
import { mayUse } from './model-access.ts'
import type { Capability } from './needs.ts'
import type { Preset } from './select.ts'

/** Why a candidate cannot serve a request. */
export type ExclusionCode =
  | Capability
  | 'chat'
  | 'context'
  | 'avoided'
  | 'unavailable'
  | 'rate_limited'
  | 'policy'
  | 'not_allowed'
  | 'budget'
  | 'over_budget'
  | 'budget_reserved'

export interface Exclusion {
  code: ExclusionCode
  /** For people, without the model's name. */
  reason: string
  /** What the prompt takes in this model's tokens, where it is too long. */
  promptTokens?: number
  /** When it may be tried again, milliseconds since the epoch. */
  until?: number
}

/** The state of a candidate at this moment, as the pipeline knows it. */
export interface Condition {
  state: 'ready' | 'unavailable' | 'rate_limited'
  reason?: string
  until?: number
}

/** Tokens kept free for an answer of unlimited length. Most answers are shorter: see `defaultOutputTokens`. */
export const defaultAnswerRoom = 1024

/** The output room a request keeps free in a context window: what was asked for, but never more than a quarter of the window. */
export function reserveTokens(measured: Measured, contextTokens: number): number {
  return Math.min(measured.outputTokens ?? defaultAnswerRoom, Math.ceil(contextTokens / 4))
}

/**
 * Whether `model`, which takes `promptTokens` of its own for the prompt, can serve the request; if not, the first reason.
 * Facts a server does not tell never rule it out.
 */
export function exclusionOf(
  {
    measured,
    needs,
    options,
    policy,
    access,
  }: Pick<DecisionContext, 'measured' | 'needs' | 'options' | 'policy' | 'access'>,
  model: Model,
  promptTokens: number,
  condition: Condition,
  preset: Preset | undefined,
): Exclusion | undefined {
  if (access !== undefined && !mayUse(access, model)) {
    return { code: 'not_allowed', reason: 'the API key may not use it' }
  }
  if (options.localOnly === true && model.tier !== 'local') return { code: 'policy', reason: 'not local' }
  if (preset?.localOnly === true && model.tier !== 'local') return { code: 'policy', reason: 'not local' }
  if ((preset?.freeOnly === true || policy.freeOnly) && !model.free) return { code: 'policy', reason: 'not free' }
  const can = model.capabilities
  if (measured.nonChat === 'embeddings') {
    if (can.embeddings === false) return { code: 'chat', reason: 'does not embed' }
  } else if (measured.nonChat !== 'rerank' && measured.nonChat !== 'media' && can.chat === false)
    return { code: 'chat', reason: 'does not chat' }
  if (model.contextTokens !== undefined) {
    const needed = promptTokens + reserveTokens(measured, model.contextTokens)
    if (needed > model.contextTokens) {
      return { code: 'context', reason: `needs ${needed} tokens, has ${model.contextTokens}`, promptTokens }
    }
  }
  for (const [need, reason] of needs) {
    if (can[need] === false) return { code: need, reason }
  }
  if (preset !== undefined && model.avoid !== undefined) return { code: 'avoided', reason: model.avoid }
  if (condition.state !== 'ready') {
    const exclusion: Exclusion = { code: condition.state, reason: condition.reason ?? 'not answering' }
    return condition.until === undefined ? exclusion : { ...exclusion, until: condition.until }
  }
  return undefined
}
