import { noUsage, promptTokens, type Usage } from '../wire/usage.ts'

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
 * USD for `usage`: what the upstream reported, else tokens times price. Cached tokens cost the input price if no other is
 * listed. Undefined if neither a charge nor a price is known: the ledger does not guess.
 */
export function costOf(price: Price | undefined, usage: Usage): number | undefined {
  if (usage.reportedCostUsd !== undefined) return usage.reportedCostUsd
  if (price === undefined) return undefined
  const rates = ratesFor(price, promptTokens(usage))
  const perMillion =
    usage.inputTokens * rates.input +
    usage.cacheReadTokens * (rates.cacheRead ?? rates.input) +
    usage.cacheWriteTokens * (rates.cacheWrite ?? rates.input) +
    usage.outputTokens * rates.output
  return perMillion / 1e6 + (rates.requestUsd ?? 0)
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
  const { promptTokens: prompt, cachedTokens = 0, outputTokens } = call
  return costOf(price, { ...noUsage, inputTokens: prompt - cachedTokens, cacheReadTokens: cachedTokens, outputTokens })
}

/** Whether no call at this price can cost anything, however long its prompt is. */
export function isFree({ input, output, cacheRead = 0, cacheWrite = 0, requestUsd = 0, tiers = [] }: Price): boolean {
  return [input, output, cacheRead, cacheWrite, requestUsd].every(rate => rate === 0) && tiers.every(isFree)
}

/** The rates for a prompt of `tokens` tokens. */
function ratesFor(price: Price, tokens: number): Omit<Price, 'tiers'> {
  return price.tiers?.findLast(tier => tokens >= tier.fromPromptTokens) ?? price
}
