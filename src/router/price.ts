import { roundUsd } from '../accounting/money.ts'
import { defaultOutputTokens, energyCostOf, expectedCostOf, type ExpectedCall } from '../accounting/pricing.ts'
import type { Model } from '../providers/provider.ts'
import type { Ability } from './abilities.ts'
import type { Conversation, DecisionContext } from './context.ts'
import type { Speed } from './evidence.ts'

/** How busy a model's endpoint is. */
export interface Load {
  busy: number
  waiting: number
  slots: number
}

/** Where nothing was learned yet. */
const localDefaults = { firstTokenMs: 200, promptTokensPerSecond: 400, outputTokensPerSecond: 25 }
const remoteDefaults = { firstTokenMs: 700, promptTokensPerSecond: 5_000, outputTokensPerSecond: 60 }
/** Reading a model from disk, where no load was seen. */
const loadBytesPerSecond = 0.8e9
const defaultLoadSeconds = 12

/** Seconds that one answer takes from its beginning to the last token, at what was seen of the model's `speed`. */
export function workSeconds(model: Model, speed: Speed | undefined, call: Required<ExpectedCall>, now: number): number {
  const defaults = model.tier === 'local' ? localDefaults : remoteDefaults
  const promptSpeed = speed?.promptTokensPerSecond || defaults.promptTokensPerSecond
  const outputSpeed = speed?.outputTokensPerSecond || defaults.outputTokensPerSecond
  const firstMs =
    speed === undefined || speed.count === 0
      ? defaults.firstTokenMs
      : recentPeak(speed.peakMs, speed.firstTokenMs, now - speed.updatedAt)
  return firstMs / 1000 + (call.promptTokens - call.cachedTokens) / promptSpeed + call.outputTokens / outputSpeed
}

/** Seconds until a slot is free and the model is loaded, where an answer takes `work` seconds. */
export function waitSeconds(model: Model, speed: Speed | undefined, load: Load, work: number): number {
  const ahead = Math.max(0, load.busy + load.waiting - load.slots + 1)
  const queue = (ahead * work) / Math.max(1, load.slots)
  const cold = model.loaded === false ? loadSeconds(model, speed?.loadMs) : 0
  return queue + cold
}

/** USD for one answer that takes `work` seconds, energy included; null where no price is known, which means that it may cost anything. */
export function expectedCharge(
  model: Model,
  call: ExpectedCall,
  work: number,
  { policy, now }: Pick<DecisionContext, 'policy' | 'now'>,
): number | null {
  const charge = expectedCostOf(model.price, call, now)
  return charge === undefined ? null : roundUsd(charge + energyCostOf(model.tier, work, policy))
}

/** How much of a prompt of `promptTokens` the cache of `model` should still hold. */
export function cachedTokens(conversation: Conversation | undefined, model: Model, promptTokens: number): number {
  return conversation?.modelId === model.id ? Math.min(conversation.cachedTokens, promptTokens) : 0
}

/** Tokens of an answer: what was seen here, combined with what is typical of the model or, where that was not measured, of the kind of task. */
export function expectedOutput(
  { evidence, likeliest, typicalOutput }: Pick<DecisionContext, 'evidence' | 'likeliest' | 'typicalOutput'>,
  { key, outputTokens }: Pick<Ability, 'key' | 'outputTokens'>,
): number {
  const seen = evidence.outputs.get(key)?.get(likeliest)
  const expected = outputTokens?.[likeliest] ?? typicalOutput ?? defaultOutputTokens
  return seen === undefined ? expected : (seen.tokens * seen.count + expected * 3) / (seen.count + 3)
}

function loadSeconds({ sizeBytes }: Model, loadMs: number | undefined): number {
  if (loadMs !== undefined && loadMs > 0) return loadMs / 1000
  return sizeBytes === undefined ? defaultLoadSeconds : 2 + sizeBytes / loadBytesPerSecond
}

/** A peak halves every 30 seconds until it meets the average. */
function recentPeak(peakMs: number, averageMs: number, ageMs: number): number {
  if (peakMs <= averageMs) return averageMs
  return Math.max(averageMs, peakMs * 0.5 ** (Math.max(0, ageMs) / 30_000))
}
