import { roundUsd } from '../accounting/money.ts'
import { defaultOutputTokens, energyCostOf, expectedCostOf } from '../accounting/pricing.ts'
import type { Model } from '../providers/provider.ts'
import type { Ability } from './abilities.ts'
import type { Conversation, DecisionContext } from './context.ts'
import type { Policy } from './policy.ts'

/** How busy a model's endpoint is. */
export interface Load {
  busy: number
  waiting: number
  slots: number
}

/** What an answer of one candidate would take. */
export interface Expense {
  /** USD, energy included; undefined where no price is known, which means that it may cost anything. */
  costUsd: number | undefined
  /** Until the last token. */
  seconds: number
  /** Of these, spent waiting for a slot and for the model to load. */
  waitSeconds: number
  outputTokens: number
}

/** Where nothing was learned yet. */
const localDefaults = { firstTokenMs: 200, promptTokensPerSecond: 400, outputTokensPerSecond: 25 }
const remoteDefaults = { firstTokenMs: 700, promptTokensPerSecond: 5_000, outputTokensPerSecond: 60 }
/** Reading a model from disk, where no load was seen. */
const loadBytesPerSecond = 0.8e9
const defaultLoadSeconds = 12

/** What an expense depends on of a decision's context. */
type ExpenseContext = Pick<
  DecisionContext,
  'measured' | 'likeliest' | 'typicalOutput' | 'conversation' | 'evidence' | 'policy' | 'now'
>

/** Expected money and time of one answer to a prompt of `promptTokens` of the model's own: input, cache, output, queue, cold load and, for local models, energy. */
export function expense(
  context: ExpenseContext,
  model: Model,
  ability: Pick<Ability, 'key' | 'outputTokens'>,
  promptTokens: number,
  load: Load,
): Expense {
  const { conversation, evidence, policy, now } = context
  const outputTokens = expectedOutput(context, ability)
  const cached = cachedTokens(conversation, model, promptTokens)
  const speed = evidence.speeds.get(model.id)
  const defaults = model.tier === 'local' ? localDefaults : remoteDefaults
  const promptSpeed = speed?.promptTokensPerSecond || defaults.promptTokensPerSecond
  const outputSpeed = speed?.outputTokensPerSecond || defaults.outputTokensPerSecond
  const firstMs =
    speed === undefined || speed.count === 0
      ? defaults.firstTokenMs
      : recentPeak(speed.peakMs, speed.firstTokenMs, now - speed.updatedAt)
  const work = firstMs / 1000 + (promptTokens - cached) / promptSpeed + outputTokens / outputSpeed
  const ahead = Math.max(0, load.busy + load.waiting - load.slots + 1)
  const queue = (ahead * work) / Math.max(1, load.slots)
  const cold = model.loaded === false ? loadSeconds(model, speed?.loadMs) : 0
  const seconds = queue + cold + work
  return {
    costUsd: money(model, { promptTokens, cached, outputTokens }, work, policy),
    seconds,
    waitSeconds: queue + cold,
    outputTokens,
  }
}

/** How much of a prompt of `promptTokens` the cache of `model` should still hold. */
export function cachedTokens(conversation: Conversation | undefined, model: Model, promptTokens: number): number {
  return conversation?.modelId === model.id ? Math.min(conversation.cachedTokens, promptTokens) : 0
}

function money(
  model: Model,
  { promptTokens, cached, outputTokens }: { promptTokens: number; cached: number; outputTokens: number },
  workSeconds: number,
  policy: Policy,
): number | undefined {
  const charge = expectedCostOf(model.price, { promptTokens, cachedTokens: cached, outputTokens })
  return charge === undefined ? undefined : roundUsd(charge + energyCostOf(model.tier, workSeconds, policy))
}

/** What was seen here, combined with what is typical of the model or, where that was not measured, of the kind of task. */
function expectedOutput(
  { evidence, likeliest, measured, typicalOutput }: ExpenseContext,
  { key, outputTokens }: Pick<Ability, 'key' | 'outputTokens'>,
): number {
  const seen = evidence.outputs.get(key)?.get(likeliest)
  const expected = outputTokens?.[likeliest] ?? typicalOutput ?? defaultOutputTokens
  const tokens = seen === undefined ? expected : (seen.tokens * seen.count + expected * 3) / (seen.count + 3)
  return Math.min(tokens, measured.outputTokens ?? Infinity)
}

function loadSeconds({ sizeBytes }: Model, loadMs: number | undefined): number {
  if (loadMs !== undefined && loadMs > 0) return loadMs / 1000
  return sizeBytes === undefined ? defaultLoadSeconds : 2 + sizeBytes / loadBytesPerSecond
}

/** A peak halves every 30 seconds until it meets the average. */
function recentPeak(peakMs: number, averageMs: number, ageMs: number): number {
  return Math.max(averageMs, peakMs * 0.5 ** (Math.max(0, ageMs) / 30_000))
}
