import type { ConfiguredPrice } from '../config/core-settings.ts'
import { readConfiguredPrice } from './price-fields.ts'
import { isFree, type Price, type PriceOrigin } from './pricing.ts'

/** What of a model its price changes. */
interface Priced {
  price: Price | undefined
  priceOrigin?: PriceOrigin | undefined
  free: boolean
}

/** Puts the operator's prices in the place of those that servers list. */
export type Reprice = <Model extends Priced>(model: Model, name: string) => Model

/** `at`: when the settings were read, in milliseconds since the epoch. */
export function ownPrices(configured: Readonly<Record<string, ConfiguredPrice>>, at: number): Reprice {
  const prices = new Map(Object.entries(configured).map(([name, given]) => [name, readConfiguredPrice(given)]))
  return (model, name) => {
    const price = prices.get(name)
    return price === undefined
      ? model
      : { ...model, price, priceOrigin: { source: 'configured', at }, free: isFree(price) }
  }
}
