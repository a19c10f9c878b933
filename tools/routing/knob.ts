import { defaultPolicy } from '../../src/router/policy.ts'
import { meanBound, type Bound } from './bootstrap.ts'
import { modelsOf } from './product.ts'
import { strongerOf, type Trial } from './two-model-gates.ts'

/** Outcomes at one setting of the quality that a caller asks for. */
export interface Setting {
  minQuality: number
  /** Share of prompts sent to the strong model, 0..1. */
  strongShare: number
  mean: number
  /** The mean score less that of a coin that sends the same share to the strong model. */
  leadOverCoin: Bound
}

export interface KnobGate {
  /** 1 where asking for more never lowered the predicted quality of the choice for any prompt; else 0. */
  monotone: 0 | 1
  settings: Setting[]
}

/** QUALITY_THRESHOLD as shipped first, then what a caller may ask for. */
const asked = [defaultPolicy.qualityThreshold, ...Array.from({ length: 20 }, (_, index) => (index + 1) * 0.05)]

/** Two models, the weak one a tenth of the price: what `auto` chooses as the caller asks for more quality. */
export function knobGate(trials: readonly Trial[]): KnobGate {
  const outcomes = asked.map(() => ({ strong: [] as number[], chosen: [] as number[], both: [] as [number, number][] }))
  let monotone: 0 | 1 = 1
  for (const { train, test, product } of trials) {
    const strong = strongerOf(train)
    const weak = Object.keys(test[0]?.outcomes ?? {}).find(name => name !== strong)
    if (weak === undefined) continue
    const models = modelsOf([strong, weak], { [strong]: 10, [weak]: 1 })
    for (const row of test) {
      let before = 0
      for (const [index, minQuality] of asked.entries()) {
        const [first] = product.decide(
          { text: row.prompt },
          models,
          'auto',
          index === 0 ? {} : { minQuality },
        ).candidates
        if (index > 0 && first!.quality < before - 1e-12) monotone = 0
        if (index > 0) before = first!.quality
        outcomes[index]!.strong.push(first!.name === strong ? 1 : 0)
        outcomes[index]!.chosen.push(row.outcomes[first!.name]!.score)
        outcomes[index]!.both.push([row.outcomes[strong]!.score, row.outcomes[weak]!.score])
      }
    }
  }
  return {
    monotone,
    settings: asked.map((minQuality, index) => {
      const { strong, chosen, both } = outcomes[index]!
      const share = mean(strong)
      return {
        minQuality,
        strongShare: share,
        mean: mean(chosen),
        leadOverCoin: meanBound(
          chosen.map((score, row) => score - share * both[row]![0] - (1 - share) * both[row]![1]),
        ),
      }
    }),
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
