import { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import { obstacle, reserveTokens, type Condition, type Drop, type Policy } from './filter.ts'
import type { Measured } from './measure.ts'
import type { Group } from './select.ts'
import { localFirst } from './strategies/local-first.ts'

export interface Decision {
  asked: readonly string[]
  measured: Measured
  /** Best first; the rest are the fallback order. */
  ranked: readonly Model[]
  dropped: readonly { model: Model; drop: Drop }[]
  /** One short phrase: why the first of `ranked` is first. */
  reason: string
}

/** What can be known at one moment without asking anybody. */
export interface RouterState {
  condition(model: Model): Condition
  policy: Policy
}

/**
 * Which model on which server should answer, and which after it. Pure: no I/O, no clock, no chance. Without any candidate
 * `ranked` is empty; `refusal` then says why.
 */
export function decide(groups: readonly Group[], measured: Measured, state: RouterState): Decision {
  const ranked = new Set<Model>()
  const dropped = new Map<Model, Drop>()
  for (const { models, preset } of groups) {
    const able = models.filter(model => {
      const drop = obstacle(measured, model, state.condition(model), state.policy, preset)
      if (drop !== undefined) dropped.set(model, drop)
      return drop === undefined
    })
    for (const model of localFirst(measured, able)) ranked.add(model)
  }
  return {
    asked: groups.map(group => group.asked),
    measured,
    ranked: [...ranked],
    dropped: [...dropped].filter(([model]) => !ranked.has(model)).map(([model, drop]) => ({ model, drop })),
    reason: reasonForFirst([...ranked][0], groups[0]),
  }
}

/** The error that tells a caller why nothing can serve him. Only for decisions without candidates; `now` in ms since the epoch. */
export function refusal(decision: Decision, now: number): GatewayError {
  const drops = decision.dropped
  if (drops.length === 0) {
    return new GatewayError(
      'no_backend',
      'No model server is running. Start Ollama (`ollama serve`), LM Studio or llama-server, or set OPENROUTER_API_KEY; Signalbox finds them by itself.',
    )
  }
  const capable = drops.filter(({ drop }) => drop.code === 'unavailable' || drop.code === 'rate_limited')
  if (capable.length > 0) return temporarily(capable, now)
  const short = drops.filter(({ drop }) => drop.code === 'context')
  if (short.length > 0) return tooLong(decision.measured, short)
  return new GatewayError('unsupported', `No model can serve this request: ${listed(drops)}.`)
}

function temporarily(drops: Decision['dropped'], now: number): GatewayError {
  const limited = drops.every(({ drop }) => drop.code === 'rate_limited')
  const untils = drops.flatMap(({ drop }) => drop.until ?? [])
  const wait = untils.length === 0 ? undefined : Math.max(1, Math.ceil((Math.min(...untils) - now) / 1000))
  return new GatewayError(
    limited ? 'upstream_rate_limited' : 'no_backend',
    `No model is available right now: ${listed(drops)}.${wait === undefined ? '' : ` Try again in ${wait} s.`}`,
    wait === undefined ? {} : { retryAfterSeconds: wait },
  )
}

function tooLong(measured: Measured, drops: Decision['dropped']): GatewayError {
  const largest = Math.max(...drops.map(({ model }) => model.contextTokens ?? 0))
  const reserve = reserveTokens(measured, largest)
  return new GatewayError(
    'context_length_exceeded',
    `The request needs ${measured.promptTokens + reserve} tokens (${measured.promptTokens} prompt + ${reserve} kept for the answer), but the largest context that could serve it is ${largest}. Shorten the prompt, lower max_tokens, or load a model with a larger context.`,
    { param: 'messages' },
  )
}

function listed(drops: Decision['dropped']): string {
  const shown = drops.slice(0, 5).map(({ model, drop }) => `${model.id} (${drop.reason})`)
  return drops.length > 5 ? `${shown.join(', ')} and ${drops.length - 5} more` : shown.join(', ')
}

/** One short phrase: why `model`, one of the decision's candidates, gave the answer. */
export function reasonFor({ ranked, reason }: Decision, model: Model): string {
  return model === ranked[0] ? reason : 'fallback'
}

function reasonForFirst(chosen: Model | undefined, first: Group | undefined): string {
  if (chosen === undefined || first === undefined) return 'none'
  if (first.preset === undefined) return 'explicit'
  if (chosen.tier === 'local') return chosen.loaded === true ? 'local-loaded' : 'local'
  return chosen.free ? 'free' : 'cheapest-paid'
}
