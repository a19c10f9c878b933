import { picosOf } from './money.ts'
import { expectedCostOf, type Price, type Rates } from './pricing.ts'

/** The most that a call may consume, in tokens. */
export interface CallBounds {
  promptTokens: number
  /** Of each choice. */
  outputTokens: number
  /** The least of each choice for which a call is worthwhile. */
  leastOutputTokens: number
  choices: number
}

/** Picodollars that a call may cost when each choice has `outputTokens`: every token at the highest rate that can apply to it. */
export function worstCostOf(price: Price, { promptTokens, choices }: CallBounds, outputTokens: number): bigint {
  const usd = expectedCostOf(
    highestRates(price, promptTokens),
    { promptTokens, outputTokens: outputTokens * choices },
    0,
  )
  // Rounding parts of a sum may add up to one unit more than rounding the whole.
  return usd === undefined || usd === 0 ? 0n : picosOf(usd) + 1n
}

/** Output tokens of each choice that `granted` picodollars pay for, at most `bounds.outputTokens`. */
export function outputTokensFor(price: Price, bounds: CallBounds, granted: bigint): number {
  // The cost grows with the tokens, so that halving finds the most that are paid for.
  let paid = 0
  let unpaid = bounds.outputTokens + 1
  while (unpaid - paid > 1) {
    const middle = Math.floor((paid + unpaid) / 2)
    if (worstCostOf(price, bounds, middle) <= granted) paid = middle
    else unpaid = middle
  }
  return paid
}

/** Rates for prompts of up to `promptTokens` tokens at any time of day, whatever the kind of their tokens. */
function highestRates(price: Price, promptTokens: number): Price {
  const possible: Partial<Rates>[] = [
    price,
    ...(price.overrides ?? []).filter(({ fromPromptTokens = 0 }) => fromPromptTokens <= promptTokens),
  ]
  const highest = (kinds: readonly (keyof Rates)[]) =>
    Math.max(...possible.flatMap(rates => kinds.map(kind => rates[kind] ?? 0)))
  return { input: highest(inputKinds), output: highest(outputKinds), requestUsd: highest(['requestUsd']) }
}

const inputKinds = ['input', 'cacheRead', 'cacheWrite', 'cacheWrite1h', 'audioInput', 'imageInput'] as const
const outputKinds = ['output', 'reasoning', 'audioOutput', 'imageOutput'] as const
