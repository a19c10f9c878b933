import type { Model } from '../providers/provider.ts'
import type { Measured } from './measure.ts'
import type { Policy } from './policy.ts'
import type { Preset } from './select.ts'

/** Why a candidate cannot serve a request. */
export type ExclusionCode =
  keyof typeof needs | 'chat' | 'context' | 'avoided' | 'unavailable' | 'rate_limited' | 'policy' | 'budget'

/** What a request may need beyond text, by the name of the capability, and how a model without it is described. */
const needs = {
  tools: 'cannot call tools',
  forcedTools: 'cannot be made to call a tool',
  vision: 'cannot see images',
  json: 'cannot answer in JSON on demand',
  logprobs: 'gives no logprobs',
  logitBias: 'knows no logit_bias',
  manyChoices: 'gives one choice only',
} as const

export type Need = readonly [capability: keyof typeof needs, without: string]

const needList: readonly Need[] = Object.entries(needs) as [keyof typeof needs, string][]

/** What this request needs beyond text: the same for all candidates. */
export function needsOf(measured: Measured): Need[] {
  return needList.filter(([capability]) => measured[capability])
}

export interface Exclusion {
  code: ExclusionCode
  /** For people, without the model's name. */
  reason: string
  /** What the prompt takes in this model's tokens, where it is too long. */
  promptTokens?: number
  /** When it may be tried again, milliseconds since the epoch. */
  until?: number
}

/** What the road knows about a candidate at this moment. */
export interface Condition {
  state: 'ready' | 'unavailable' | 'rate_limited'
  reason?: string
  until?: number
}

/** Tokens kept free for an answer whose length nobody limits. Most answers are shorter: see `defaultOutputTokens`. */
export const defaultAnswerRoom = 1024

/** The output room a request keeps free in a context window: what was asked for, but never more than a quarter of the window. */
export function reserveTokens(measured: Measured, contextTokens: number): number {
  return Math.min(measured.outputTokens ?? defaultAnswerRoom, Math.ceil(contextTokens / 4))
}

/**
 * Whether `model` can serve the request, whose prompt takes `promptTokens` of its tokens; if not, the first reason. Facts a
 * server does not tell never rule it out.
 */
export function exclusionOf(
  measured: Measured,
  promptTokens: number,
  needed: readonly Need[],
  model: Model,
  condition: Condition,
  policy: Pick<Policy, 'freeOnly'>,
  preset: Preset | undefined,
): Exclusion | undefined {
  if (preset?.localOnly === true && model.tier !== 'local') return { code: 'policy', reason: 'not local' }
  if ((preset?.freeOnly === true || policy.freeOnly) && !model.free) return { code: 'policy', reason: 'not free' }
  const can = model.capabilities
  if (measured.nonChat === 'embeddings') {
    if (can.embeddings === false) return { code: 'chat', reason: 'does not embed' }
  } else if (measured.nonChat !== 'rerank' && can.chat === false) return { code: 'chat', reason: 'does not chat' }
  if (model.contextTokens !== undefined) {
    const needed = promptTokens + reserveTokens(measured, model.contextTokens)
    if (needed > model.contextTokens) {
      return { code: 'context', reason: `needs ${needed} tokens, has ${model.contextTokens}`, promptTokens }
    }
  }
  for (const [need, reason] of needed) {
    if (can[need] === false) return { code: need, reason }
  }
  if (preset !== undefined && model.avoid !== undefined) return { code: 'avoided', reason: model.avoid }
  if (condition.state !== 'ready') {
    const exclusion: Exclusion = { code: condition.state, reason: condition.reason ?? 'not answering' }
    return condition.until === undefined ? exclusion : { ...exclusion, until: condition.until }
  }
  return undefined
}
