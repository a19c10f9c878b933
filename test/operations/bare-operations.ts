import { z } from 'zod'
import { GatewayError } from '../../src/errors.ts'
import { operation } from '../../src/operations/operation.ts'

/** A small core whose operations have every shape and failure that the interfaces must carry. */
export interface Shop {
  items: { id: string; price: number }[]
  /** Settles when `wait` has started. */
  waiting: Promise<void>
  /** Settles when the signal of `wait` fires. */
  aborted: Promise<void>
  /** Settles at the first purchase. */
  bought: Promise<void>
  sayBought: () => void
  sayWaiting: () => void
  sayAborted: () => void
  /** Events of an abacus that arrives and of items that change. */
  onAbacus: () => void
  onItems: () => void
}

export function openShop(): Shop {
  const waiting = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  const bought = Promise.withResolvers<void>()
  return {
    items: [
      { id: 'pear', price: 2 },
      { id: 'fig', price: 1 },
    ],
    waiting: waiting.promise,
    aborted: aborted.promise,
    bought: bought.promise,
    sayBought: bought.resolve,
    sayWaiting: waiting.resolve,
    sayAborted: aborted.resolve,
    onAbacus: () => undefined,
    onItems: () => undefined,
  }
}

const Item = z.object({ id: z.string(), price: z.number(), note: z.string().optional() })

const listItems = operation({
  name: 'list_items',
  summary: 'What the shop has.',
  effect: 'read',
  core: true,
  http: { method: 'GET', path: '/shop/items' },
  input: z.strictObject({ limit: z.int().min(1).max(10).default(10), cheap: z.boolean().optional() }),
  output: z.object({ items: z.array(Item) }),
  run: (shop: Shop, { limit, cheap }) => ({
    items: shop.items.filter(item => cheap !== true || item.price < 2).slice(0, limit),
  }),
})

const buyItem = operation({
  name: 'buy_item',
  summary: 'Buys one item.',
  effect: 'spend',
  http: { method: 'POST', path: '/shop/items/:id' },
  input: z.strictObject({ id: z.string(), note: z.string().optional() }),
  output: Item,
  run: (shop: Shop, { id, note }) => {
    if (id === 'sold_out') throw new GatewayError('queue_full', 'All sold out.', { retryAfterSeconds: 6.5 })
    const item = shop.items.find(item => item.id === id)
    if (item === undefined) throw new GatewayError('not_found', `There is no ${id} here.`, { param: 'id' })
    shop.onItems()
    shop.sayBought()
    return { ...item, note }
  },
})

const countTo = operation({
  name: 'count_to',
  summary: 'Counts aloud.',
  effect: 'read',
  needs: 'abacus',
  input: z.strictObject({ number: z.int().max(100), until_bought: z.boolean().default(false) }),
  output: z.object({ counted: z.int() }),
  run: async (shop: Shop, { number, until_bought }, { progress }) => {
    for (let step = 1; step <= number; step++) {
      progress({ progress: step, total: number, message: `Counted to ${String(step)}` })
      await new Promise(resolve => setImmediate(resolve))
    }
    if (until_bought) await shop.bought
    return { counted: number }
  },
})

const fetchAbacus = operation({
  name: 'fetch_abacus',
  summary: 'Brings what counting needs.',
  effect: 'write',
  input: z.strictObject({}),
  output: z.object({}),
  run: (shop: Shop) => {
    shop.onAbacus()
    return {}
  },
})

const wait = operation({
  name: 'wait',
  summary: 'Waits until its caller gives up.',
  effect: 'write',
  input: z.strictObject({}),
  output: z.object({}),
  run: (shop: Shop, _input, { signal }) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        shop.sayAborted()
        reject(signal.reason as Error)
      })
      shop.sayWaiting()
    }),
})

const breakDown = operation({
  name: 'break_down',
  summary: 'Fails as programs do.',
  effect: 'destroy',
  input: z.strictObject({}),
  output: z.object({}),
  run: (_shop: Shop) => {
    throw new TypeError('the secret is 42')
  },
})

const forgetField = operation({
  name: 'forget_field',
  summary: 'Breaks its own promise.',
  effect: 'read',
  input: z.strictObject({}),
  output: z.object({ promised: z.string() }),
  run: (_shop: Shop) => ({}) as { promised: string },
})

export const shopOperations = [listItems, buyItem, countTo, fetchAbacus, wait, breakDown, forgetField]
