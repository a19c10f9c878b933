import type { Model } from '../../providers/provider.ts'
import { priceAt } from '../../wire/usage.ts'
import type { Measured } from '../measure.ts'

/** Local, then free, then paid by the price of this request; within a step what is in memory first. */
export function localFirst(measured: Measured, models: readonly Model[]): Model[] {
  const keyed = models.map(model => ({ model, key: [step(model), price(measured, model), warmth(model)] }))
  return keyed.sort((a, b) => compare(a.key, b.key) || (a.model.id < b.model.id ? -1 : 1)).map(entry => entry.model)
}

function step(model: Model): number {
  if (model.tier === 'local') return 0
  return model.free ? 1 : 2
}

/** Expected USD; a remote model whose price nobody told comes after all that have one. */
function price(measured: Measured, { price: listed, free }: Model): number {
  if (free) return 0
  if (listed === undefined) return Number.MAX_VALUE
  const price = priceAt(listed, measured.promptTokens)
  return (measured.promptTokens * price.input + (measured.outputTokens ?? 1024) * price.output) / 1e6
}

function warmth(model: Model): number {
  if (model.loaded === true) return 0
  return model.loaded === undefined ? 1 : 2
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : a[at]! - b[at]!
}
