import { figuresOutside, type Form } from '../../src/router/text/form.ts'

/** Share of prompts left outside at each end of a figure's range. */
const tail = 0.005
/** Share of a kind's own prompts whose form counts as usual. */
const coveredShare = 0.99
/** A figure counts as fixed where this share of a kind's prompts agree in it. */
const agreement = 0.998
/** Of fewer prompts, what they all happen to be says little about the next one. */
const minPrompts = 1000

/** Learns the form of prompts of one kind from their figures. */
export function formOf(prompts: readonly Float64Array[]): Form {
  const low: number[] = []
  const high: number[] = []
  const fixed: [number, number][] = []
  for (let figure = 0; figure < (prompts[0]?.length ?? 0); figure++) {
    const sorted = Float64Array.from(prompts, read => read[figure]!).sort()
    low.push(rounded(sorted[Math.floor(tail * (sorted.length - 1))]!, Math.floor))
    high.push(rounded(sorted[Math.ceil((1 - tail) * (sorted.length - 1))]!, Math.ceil))
    const median = sorted[sorted.length >> 1]!
    const agreeing = sorted.filter(value => value === median).length
    // Only whole numbers are counts and answers to yes or no; that a measure never varies is chance.
    if (prompts.length >= minPrompts && Number.isInteger(median) && agreeing >= agreement * sorted.length) {
      fixed.push([figure, median])
    }
  }
  const outside = Float64Array.from(prompts, figures => figuresOutside({ low, high }, figures)).sort()
  return { low, high, allowed: outside[Math.floor(coveredShare * (outside.length - 1))] ?? 0, fixed }
}

/** Four decimals, outwards, so that rounding puts no prompt outside. */
function rounded(value: number, direction: (value: number) => number): number {
  return direction(value * 1e4) / 1e4
}
