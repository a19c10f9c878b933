import { z } from 'zod'
import type { ConfiguredPrice } from '../config/core-settings.ts'
import type { Price, PriceOverride, Rates } from './pricing.ts'

/** Each rate as JSON has it. */
const rateFields = {
  input: 'input',
  output: 'output',
  cacheRead: 'cache_read',
  cacheWrite: 'cache_write',
  cacheWrite1h: 'cache_write_1h',
  audioInput: 'audio_input',
  imageInput: 'image_input',
  audioOutput: 'audio_output',
  imageOutput: 'image_output',
  reasoning: 'reasoning',
  requestUsd: 'request_usd',
} as const satisfies Record<keyof Rates, keyof ConfiguredPrice>
/** A price as callers see it, in USD per million tokens; `request_usd` is per call. */
export const PriceView = z.looseObject({ input: z.number(), output: z.number() })
export type PriceView = z.output<typeof PriceView>

export function readConfiguredPrice(given: ConfiguredPrice): Price {
  const price: Price = { input: given.input, output: given.output }
  for (const name of Object.keys(rateFields) as (keyof Rates)[]) {
    const value = given[rateFields[name]]
    if (value !== undefined) price[name] = value
  }
  return price
}

export function priceView({ overrides, ...rates }: Price): PriceView {
  return {
    input: rates.input,
    output: rates.output,
    ...writeRates(rates),
    ...(overrides !== undefined && { overrides: overrides.map(overrideView) }),
  }
}

function overrideView({ fromPromptTokens, utc, ...rates }: PriceOverride): object {
  return {
    ...(fromPromptTokens !== undefined && { from_prompt_tokens: fromPromptTokens }),
    ...(utc !== undefined && { utc_from: timeOf(utc.from), utc_until: timeOf(utc.until) }),
    ...writeRates(rates),
  }
}

function writeRates(rates: Partial<Rates>): Partial<ConfiguredPrice> {
  const fields: Partial<ConfiguredPrice> = {}
  for (const [name, value] of Object.entries(rates) as [keyof Rates, number | undefined][]) {
    if (value !== undefined) fields[rateFields[name]] = value
  }
  return fields
}

/** Minutes since midnight as `16:30`. */
function timeOf(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}
