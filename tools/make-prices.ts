import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { findProvider, type MatchLogic, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices'
import type { Price, PriceOverride, Rates } from '../src/accounting/pricing.ts'
import { shippedPricesFile, type PriceList } from '../src/accounting/price-list.ts'

/** Providers with an API that Signalbox can call; OpenRouter lists its own prices. */
const providers = [
  'anthropic',
  'avian',
  'azure',
  'cerebras',
  'cohere',
  'deepseek',
  'fireworks',
  'google',
  'groq',
  'minimax',
  'mistral',
  'moonshotai',
  'novita',
  'openai',
  'ovhcloud',
  'perplexity',
  'together',
  'voyageai',
  'x-ai',
  'zai',
]

/** The package's fields in USD per million tokens. */
const rateNames: Readonly<Record<string, keyof Rates>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cacheRead',
  cache_write_mtok: 'cacheWrite',
  cache_write_1h_mtok: 'cacheWrite1h',
  input_audio_mtok: 'audioInput',
  output_audio_mtok: 'audioOutput',
  input_image_mtok: 'imageInput',
  output_image_mtok: 'imageOutput',
}

const { values } = parseArgs({ options: { out: { type: 'string' } } })
const made = new Date().toISOString().slice(0, 10)
const { version } = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, '../node_modules/@pydantic/genai-prices/package.json'), 'utf8'),
) as { version: string }
const list: PriceList = {
  source: `@pydantic/genai-prices ${version}, MIT, Copyright (c) Pydantic Services Inc. and contributors`,
  made,
  providers: Object.fromEntries(providers.map(id => [id, listOf(id)])),
}
const file = path.resolve(values.out ?? shippedPricesFile)
const text = `${JSON.stringify(list)}\n`
writeFileSync(file, text)
const count = Object.values(list.providers).reduce((sum, { models }) => sum + models.length, 0)
console.log(`${path.relative('.', file)}: ${count} models, ${(text.length / 1024).toFixed(0)} KB`)

function listOf(id: string): PriceList['providers'][string] {
  const provider = findProvider({ providerId: id })
  if (provider === undefined)
    throw new Error(`@pydantic/genai-prices has no provider ${id}; correct the list in ${import.meta.filename}.`)
  return {
    url: provider.api_pattern,
    models: provider.models.flatMap(model => {
      const price = priceOf(model)
      return price === undefined ? [] : [[patternOf(model.match), price] as const]
    }),
  }
}

/** A regular expression for the names that a rule matches. */
function patternOf(match: MatchLogic): string {
  if ('equals' in match) return `^${escaped(match.equals)}$`
  if ('starts_with' in match) return `^${escaped(match.starts_with)}`
  if ('ends_with' in match) return `${escaped(match.ends_with)}$`
  if ('contains' in match) return escaped(match.contains)
  if ('regex' in match) return match.regex
  if ('or' in match) return match.or.map(patternOf).join('|')
  return `^${match.and.map(each => `(?=.*?(?:${patternOf(each)}))`).join('')}`
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** The price in force on the day of the snapshot; undefined for what is not charged by tokens. */
function priceOf({ prices }: ModelInfo): Price | undefined {
  const all = Array.isArray(prices) ? prices : [{ prices }]
  const begun = all.filter(({ constraint }) => constraint?.type !== 'start_date' || constraint.start_date <= made)
  const base = begun.findLast(({ constraint }) => constraint?.type !== 'time_of_date')
  const { rates, overrides } = base === undefined ? { rates: {}, overrides: [] } : ratesOf(base.prices)
  if (rates.input === undefined) return undefined
  const timed = begun.flatMap(({ constraint, prices }): PriceOverride[] =>
    constraint?.type === 'time_of_date'
      ? [
          {
            ...ratesOf(prices).rates,
            utc: { from: minuteOf(constraint.start_time), until: minuteOf(constraint.end_time) },
          },
        ]
      : [],
  )
  const conditional = [...overrides, ...timed]
  return { input: rates.input, output: 0, ...rates, ...(conditional.length > 0 && { overrides: conditional }) }
}

function ratesOf(prices: ModelPrice): { rates: Partial<Rates>; overrides: PriceOverride[] } {
  const rates: Partial<Rates> = {}
  const byThreshold = new Map<number, PriceOverride>()
  for (const [field, name] of Object.entries(rateNames)) {
    const price = prices[field]
    if (price === undefined) continue
    rates[name] = typeof price === 'number' ? price : price.base
    if (typeof price === 'number') continue
    for (const tier of price.tiers) {
      // A tier counts for prompts longer than its start.
      const fromPromptTokens = tier.start + 1
      byThreshold.set(fromPromptTokens, { ...byThreshold.get(fromPromptTokens), fromPromptTokens, [name]: tier.price })
    }
  }
  return { rates, overrides: [...byThreshold.values()].sort((a, b) => a.fromPromptTokens! - b.fromPromptTokens!) }
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(part => Number.parseInt(part, 10))
  return hours * 60 + minutes
}
