import type { Price } from './pricing.ts'

/** A change of one rate, in USD per million tokens. */
export interface PriceChange {
  rate: 'input' | 'output'
  beforeUsd: number
  afterUsd: number
}

/** Changes up to this share of the old rate are not worth telling. */
const tolerance = 0.2

/** The largest change between two prices of a model, if it is more than 20 % up or down. */
export function notableChange(before: Price, after: Price): PriceChange | undefined {
  const changes = (['input', 'output'] as const).map(rate => ({
    rate,
    beforeUsd: before[rate],
    afterUsd: after[rate],
    share: before[rate] === after[rate] ? 0 : Math.abs(after[rate] - before[rate]) / before[rate],
  }))
  const [input, output] = changes as [(typeof changes)[0], (typeof changes)[0]]
  const { share, ...largest } = output.share > input.share ? output : input
  return share > tolerance ? largest : undefined
}
