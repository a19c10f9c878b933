import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Price, PriceOrigin } from './pricing.ts'

/** Prices of a day, by provider, as `npm run make:prices` writes them. */
export interface PriceList {
  /** Where they are from, and under which licence. */
  source: string
  /** YYYY-MM-DD */
  made: string
  providers: Readonly<
    Record<
      string,
      {
        /** A regular expression for the addresses of its API. */
        url: string
        /** A regular expression for a model's names, and its price; the first match counts. */
        models: readonly (readonly [pattern: string, price: Price])[]
      }
    >
  >
}

/** A price of the shipped list. */
export interface KnownPrice {
  price: Price
  origin: PriceOrigin
}

/** What models cost at the providers that list no prices themselves, as of the day the list was made. */
export interface ShippedPrices {
  /** The price of a model at the API at `url`. */
  at: (url: string, model: string) => KnownPrice | undefined
  /** The price of a model by name, such as `openai/gpt-5`. */
  named: (name: string) => KnownPrice | undefined
}

export const shippedPricesFile = path.join(import.meta.dirname, 'prices.json')

/** Reads the list when it is first asked for a price. */
export function createShippedPrices(file = shippedPricesFile): ShippedPrices {
  let list: PriceList | undefined
  const read = () => (list ??= JSON.parse(readFileSync(file, 'utf8')) as PriceList)
  const known = (provider: PriceList['providers'][string] | undefined, model: string): KnownPrice | undefined => {
    const price = provider?.models.find(([pattern]) => new RegExp(pattern, 'i').test(model))?.[1]
    return price && { price, origin: { source: 'snapshot', at: Date.parse(read().made) } }
  }
  return {
    at: (address, model) =>
      known(
        Object.values(read().providers).find(({ url }) => new RegExp(`^(?:${url})`, 'i').test(address)),
        model,
      ),
    named(name) {
      const [provider = '', ...model] = name.split('/')
      const { providers } = read()
      return Object.hasOwn(providers, provider) ? known(providers[provider], model.join('/')) : undefined
    },
  }
}
