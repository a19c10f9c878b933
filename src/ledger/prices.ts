import type Database from 'better-sqlite3'
import { priceView } from '../accounting/price-fields.ts'
import type { Price } from '../accounting/pricing.ts'

/** Prices that attempts refer to; each is stored once, however often it is read from its source again. */
export interface PriceTable {
  /** The id of a price, which is stored if it is new; null for none. Call it in a transaction. */
  idOf: (price: Price | undefined) => number | null
  /** Call it after a transaction was rolled back: its prices are gone. */
  forget: () => void
}

export function createPriceTable(database: Database.Database): PriceTable {
  const insert = database.prepare<[string]>('INSERT INTO prices (price) VALUES (?) ON CONFLICT (price) DO NOTHING')
  const select = database.prepare<[string], number>('SELECT id FROM prices WHERE price = ?').pluck()
  let known = new WeakMap<Price, number>()
  return {
    idOf(price) {
      if (price === undefined) return null
      let id = known.get(price)
      if (id === undefined) {
        const text = JSON.stringify(priceView(price))
        insert.run(text)
        id = select.get(text)!
        known.set(price, id)
      }
      return id
    },
    forget: () => (known = new WeakMap()),
  }
}
