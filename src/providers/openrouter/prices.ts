import { isObject, readNumber } from '../../json.ts'
import type { Price, PriceOverride, Rates } from '../../accounting/pricing.ts'

/** A model's `pricing` in OpenRouter's list: strings in USD per token. A router's own entry has -1, which is no price. */
export function readPrice(pricing: Readonly<Record<string, unknown>>): Price | undefined {
  const { input, output, ...others } = ratesOf(pricing)
  if (input === undefined || output === undefined) return undefined
  const listed = Array.isArray(pricing['overrides']) ? (pricing['overrides'] as unknown[]) : []
  const overrides = listed.flatMap(each => (isObject(each) ? (readOverride(each) ?? []) : []))
  return { input, output, ...others, ...(overrides.length > 0 && { overrides }) }
}

/** USD per token; a 0 means that there is no such rate, other than for prompt and completion. */
const rateFields: Readonly<Record<string, Exclude<keyof Rates, 'requestUsd'>>> = {
  prompt: 'input',
  completion: 'output',
  input_cache_read: 'cacheRead',
  input_cache_write: 'cacheWrite',
  input_cache_write_1h: 'cacheWrite1h',
  audio: 'audioInput',
  audio_output: 'audioOutput',
  image_token: 'imageInput',
  internal_reasoning: 'reasoning',
}

/** Charges that no token count tells, such as those per picture or search; the reported charge includes them. */
const otherFields = new Set(['image', 'image_output', 'input_audio_cache', 'web_search', 'request'])

function ratesOf(pricing: Readonly<Record<string, unknown>>): Partial<Rates> {
  const rates: Partial<Rates> = {}
  for (const [field, name] of Object.entries(rateFields)) {
    const usd = readNumber(pricing[field])
    if (usd === undefined || (usd === 0 && name !== 'input' && name !== 'output')) continue
    // 0.0000015 * 1e6 is not 1.5 in binary.
    rates[name] = Number((usd * 1e6).toPrecision(12))
  }
  const requestUsd = readNumber(pricing['request'])
  return requestUsd === undefined ? rates : { ...rates, requestUsd }
}

/** Undefined where a condition is not one that can be known before a call. */
function readOverride(override: Readonly<Record<string, unknown>>): PriceOverride | undefined {
  const { min_prompt_tokens: tokens, utc_start: start, utc_end: end, ...prices } = override
  if (Object.keys(prices).some(field => !(field in rateFields) && !otherFields.has(field))) return undefined
  const fromPromptTokens = readNumber(tokens)
  const [from, until] = [minuteOf(start), minuteOf(end)]
  if (tokens !== undefined && fromPromptTokens === undefined) return undefined
  if ((start !== undefined && from === undefined) || (end !== undefined && until === undefined)) return undefined
  return {
    ...ratesOf(prices),
    ...(fromPromptTokens !== undefined && { fromPromptTokens }),
    ...((from !== undefined || until !== undefined) && { utc: { from: from ?? 0, until: until ?? 24 * 60 } }),
  }
}

/** A time such as `16:30` or `16:30:00Z` in minutes since midnight. */
function minuteOf(time: unknown): number | undefined {
  if (typeof time !== 'string') return undefined
  const [, hours, minutes] = /^([01]?\d|2[0-4]):([0-5]\d)(:[0-5]\d)?Z?$/.exec(time) ?? []
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes)
}
