import { promptTokens, type Usage } from '../wire/usage.ts'
import { roundUsd } from './money.ts'

/** USD per million tokens of each kind; a kind without a rate of its own costs what the kind costs that it is part of. */
export interface Rates {
  input: number
  output: number
  cacheRead?: number
  cacheWrite?: number
  /** Cache writes that are kept for an hour. */
  cacheWrite1h?: number
  audioInput?: number
  imageInput?: number
  audioOutput?: number
  imageOutput?: number
  /** Reasoning, instead of `output`. */
  reasoning?: number
  /** USD per call. */
  requestUsd?: number
}

/** Rates that replace others where all its conditions are met. */
export interface PriceOverride extends Partial<Rates> {
  /** Prompts of at least this many tokens; the rates then apply to the whole call. */
  fromPromptTokens?: number
  /** A time of day in UTC, in minutes since midnight: `from` inclusive, `until` exclusive; it may span midnight. */
  utc?: { from: number; until: number }
}

/** What a provider charges. */
export interface Price extends Rates {
  /** Of those whose conditions are met, later ones win. */
  overrides?: readonly PriceOverride[]
}

/** The price of a model that costs nothing. */
export const freePrice: Price = { input: 0, output: 0 }

/** Tokens of a typical answer, used if neither the request nor the evidence gives a better figure. */
export const defaultOutputTokens = 400

/** Where a price comes from: the server's own list, the operator's settings, or the list that is shipped. */
export type PriceSource = 'listed' | 'configured' | 'snapshot'

export interface PriceOrigin {
  source: PriceSource
  /** When the price was read from its source, in milliseconds since the epoch; of a snapshot, when that was made. */
  at: number
}

/**
 * USD for `usage` of a call at `at` (milliseconds since the epoch): what was reported, else tokens times price. Undefined if
 * neither a charge nor a price is known: the ledger does not guess.
 */
export function costOf(price: Price | undefined, usage: Usage, at: number): number | undefined {
  return reportedCostOf(usage) ?? listedCostOf(price, usage, at)
}

/** USD that the upstream, and the model's provider to the operator's own key, say they charge. */
export function reportedCostOf({ reportedCostUsd, byokCostUsd = 0 }: Usage): number | undefined {
  return reportedCostUsd === undefined ? undefined : roundUsd(reportedCostUsd + byokCostUsd)
}

/** USD for the tokens of `usage` at a price, whatever was reported. */
export function listedCostOf(price: Price | undefined, usage: Usage, at: number): number | undefined {
  if (price === undefined) return undefined
  if (usage.unpriced === true) return isFree(price) ? 0 : undefined
  return chargeFor(ratesFor(price, promptTokens(usage), at), usage)
}

function chargeFor(rates: Rates, usage: Usage): number {
  const { cacheWrite1hTokens = 0, audioInputTokens = 0, imageInputTokens = 0 } = usage
  const { audioOutputTokens = 0, imageOutputTokens = 0 } = usage
  const { input, output, cacheWrite = input } = rates
  let perMillion =
    usage.inputTokens * input +
    usage.cacheReadTokens * (rates.cacheRead ?? input) +
    (usage.cacheWriteTokens - cacheWrite1hTokens) * cacheWrite +
    cacheWrite1hTokens * (rates.cacheWrite1h ?? cacheWrite) +
    usage.outputTokens * output
  // Parts with a rate of their own: the difference to what they were counted as. A cache read of sound is rarely listed.
  if (audioInputTokens > 0) {
    perMillion += Math.min(audioInputTokens, usage.inputTokens) * ((rates.audioInput ?? input) - input)
  }
  if (imageInputTokens > 0) {
    const uncached = Math.max(0, Math.min(imageInputTokens, usage.inputTokens - audioInputTokens))
    perMillion += uncached * ((rates.imageInput ?? input) - input)
  }
  if (audioOutputTokens > 0) perMillion += audioOutputTokens * ((rates.audioOutput ?? output) - output)
  if (imageOutputTokens > 0) perMillion += imageOutputTokens * ((rates.imageOutput ?? output) - output)
  if (rates.reasoning !== undefined) {
    const { reasoningTokens, outputTokens } = usage
    const reasoned = Math.max(0, Math.min(reasoningTokens, outputTokens - audioOutputTokens - imageOutputTokens))
    perMillion += reasoned * (rates.reasoning - output)
  }
  return roundUsd(perMillion / 1e6 + (rates.requestUsd ?? 0))
}

/** A future call, in tokens. */
export interface ExpectedCall {
  promptTokens: number
  /** The part of the prompt expected in the upstream's cache. */
  cachedTokens?: number
  outputTokens: number
}

/** Expected cost of a call at `at` in USD, by the rules of `costOf`; undefined if the price is unknown. */
export function expectedCostOf(price: Price | undefined, call: ExpectedCall, at: number): number | undefined {
  if (price === undefined) return undefined
  const { promptTokens: prompt, cachedTokens = 0, outputTokens } = call
  return chargeFor(ratesFor(price, prompt, at), {
    inputTokens: prompt - cachedTokens,
    cacheReadTokens: cachedTokens,
    cacheWriteTokens: 0,
    outputTokens,
    reasoningTokens: 0,
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

/** Whether no call at this price can cost anything, however long its prompt is and whenever it is made. */
export function isFree(price: Price): boolean {
  return [price, ...(price.overrides ?? [])].every(rates =>
    Object.entries(rates).every(([name, value]) => value === 0 || notRates.has(name)),
  )
}

const notRates: ReadonlySet<string> = new Set(['overrides', 'fromPromptTokens', 'utc'])

const dayMinutes = 24 * 60

/** The rates for a prompt of `tokens` tokens at `at`. */
function ratesFor(price: Price, tokens: number, at: number): Rates {
  if (price.overrides === undefined) return price
  const minute = Math.floor(at / 60_000) % dayMinutes
  return price.overrides.reduce<Rates>(
    (rates, { fromPromptTokens = 0, utc, ...others }) =>
      tokens >= fromPromptTokens && (utc === undefined || isWithin(minute, utc)) ? { ...rates, ...others } : rates,
    price,
  )
}

function isWithin(minute: number, { from, until }: NonNullable<PriceOverride['utc']>): boolean {
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until
}
