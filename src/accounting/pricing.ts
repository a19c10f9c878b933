import { promptTokens, type Usage } from '../wire/usage.ts'
import { roundUsd } from './money.ts'

/** What a provider charges. USD per million tokens; `requestUsd` is charged once per call. */
export interface Price {
  input: number
  output: number
  cacheRead?: number
  cacheWrite?: number
  requestUsd?: number
  /** Higher rates for long prompts, by rising threshold; the last one reached applies to the whole call. */
  tiers?: readonly (Omit<Price, 'tiers'> & { fromPromptTokens: number })[]
}

/** The price of a model that costs nothing. */
export const freePrice: Price = { input: 0, output: 0 }

/** Tokens of a typical answer, used if neither the request nor the evidence gives a better figure. */
export const defaultOutputTokens = 400

/**
 * USD for `usage`: what was reported (by the upstream, and by the model's provider to the operator's own key), else tokens times
 * price. Cached tokens cost the input price if no other is listed. Undefined if neither a charge nor a price is known: the
 * ledger does not guess.
 */
export function costOf(price: Price | undefined, usage: Usage): number | undefined {
  if (usage.reportedCostUsd !== undefined) return roundUsd(usage.reportedCostUsd + (usage.byokCostUsd ?? 0))
  if (price === undefined) return undefined
  if (usage.unpriced === true) return isFree(price) ? 0 : undefined
  return chargeFor(ratesFor(price, promptTokens(usage)), usage)
}

type Tokens = Pick<Usage, 'inputTokens' | 'cacheReadTokens' | 'cacheWriteTokens' | 'outputTokens'>

function chargeFor(rates: Omit<Price, 'tiers'>, tokens: Tokens): number {
  const perMillion =
    tokens.inputTokens * rates.input +
    tokens.cacheReadTokens * (rates.cacheRead ?? rates.input) +
    tokens.cacheWriteTokens * (rates.cacheWrite ?? rates.input) +
    tokens.outputTokens * rates.output
  return roundUsd(perMillion / 1e6 + (rates.requestUsd ?? 0))
}

/** A future call, in tokens. */
export interface ExpectedCall {
  promptTokens: number
  /** The part of the prompt expected in the upstream's cache. */
  cachedTokens?: number
  outputTokens: number
}

/** Expected cost of a call in USD, by the rules of `costOf`; undefined if the price is unknown. */
export function expectedCostOf(price: Price | undefined, call: ExpectedCall): number | undefined {
  if (price === undefined) return undefined
  const { promptTokens: prompt, cachedTokens = 0, outputTokens } = call
  return chargeFor(ratesFor(price, prompt), {
    inputTokens: prompt - cachedTokens,
    cacheReadTokens: cachedTokens,
    cacheWriteTokens: 0,
    outputTokens,
  })
}

/** What electricity costs the operator; without both there is no charge for it. */
export interface EnergyRates {
  /** Power draw of a running local model. */
  localWatts: number
  /** USD per kWh. */
  energyPrice: number
}

/** USD for the electricity of a call that takes `seconds`; 0 for a model that runs elsewhere. */
export function energyCostOf(tier: 'local' | 'remote', seconds: number, rates: EnergyRates): number {
  return tier === 'local' ? roundUsd(((rates.localWatts * seconds) / 3.6e6) * rates.energyPrice) : 0
}

/** Whether no call at this price can cost anything, however long its prompt is. */
export function isFree({ input, output, cacheRead = 0, cacheWrite = 0, requestUsd = 0, tiers = [] }: Price): boolean {
  return [input, output, cacheRead, cacheWrite, requestUsd].every(rate => rate === 0) && tiers.every(isFree)
}

/** The rates for a prompt of `tokens` tokens. */
function ratesFor(price: Price, tokens: number): Omit<Price, 'tiers'> {
  return price.tiers?.findLast(tier => tokens >= tier.fromPromptTokens) ?? price
}
