import type { Model } from '../providers/provider.ts'
import type { Prior } from './beliefs.ts'
import { unknownCategory } from './text/judge.ts'
import type { Weights } from './weights.ts'

/** What is expected of a model before this installation saw it work. */
export interface Ability {
  /** What its outcomes are filed under: the same model on two endpoints is one, another digest is another. */
  key: string
  /** Log odds of success at a task of difficulty 0. */
  ability: number
  /** Where that comes from, for people. */
  source: 'measured in public data' | 'size' | 'price' | 'nothing'
  prior: (category: string) => Prior
}

const measuredStrength = 20
const guessedStrength = 4
const defaultBase = 0.4
/** Log odds by which what people ask is easier than benchmarks, which are made to be hard. A judgement; evidence overrules it. */
const everydayEase = 0.8
/** Small talk has no benchmark; a small model does it well. */
const chatDifficulty = -0.2

/** Log odds lost to quantization, by bits; eight bits and more lose nothing that can be seen. */
const quantizationLoss: readonly [pattern: RegExp, loss: number][] = [
  [/(?:^|[^a-z])i?q1/i, 1.5],
  [/(?:^|[^a-z])i?q2/i, 0.8],
  [/(?:^|[^a-z])i?q3/i, 0.3],
  [/(?:^|[^a-z])i?q4|int4|4bit|mxfp4/i, 0.1],
  [/(?:^|[^a-z])i?q5/i, 0.05],
]

/**
 * Expectations of models, kept per model object, since a decision looks at hundreds of them. Without weights everything
 * rests on sizes and prices.
 */
export function createAbilities(weights: Weights | undefined): (model: Model) => Ability {
  const known = new WeakMap<Model, Ability>()
  return model => {
    let ability = known.get(model)
    if (ability === undefined) known.set(model, (ability = abilityOf(model, weights)))
    return ability
  }
}

/** A name as people write it, without vendor, tag of a free offer, quantization or punctuation. */
export function canonicalName(name: string): string {
  return name
    .slice(name.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/:(?:free|latest|nitro|floor|extended)$/, '')
    .replace(/\.gguf$/, '')
    .replaceAll(
      /[-_.:](?:i?q\d(?:_[a-z0-9]+)*|fp?16|bf16|int[48]|[48]bit|mlx|gguf|instruct|chat|it|preview)(?=$|[-_.:])/g,
      '',
    )
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '')
}

/**
 * What evidence about a model is filed under. `weights` tells which weights it has: their digest, else their quantization,
 * where its server says.
 */
export function evidenceKey(name: string, weights: string | undefined): string {
  return weights === undefined ? canonicalName(name) : `${canonicalName(name)}@${weights}`
}

function abilityOf(model: Model, weights: Weights | undefined): Ability {
  const name = canonicalName(model.name)
  const key = evidenceKey(model.name, model.digest ?? model.quantization)
  const measured =
    weights === undefined ? undefined : Object.hasOwn(weights.models, name) ? weights.models[name] : undefined
  const base = (category: string) => weights?.base[category]?.rate ?? defaultBase
  const difficulty = (category: string) =>
    category === unknownCategory ? chatDifficulty : (weights?.difficulty[category] ?? 0)
  const guess =
    measured === undefined
      ? guessed(model, weights)
      : { ability: measured.ability, source: 'measured in public data' as const }
  const ability = guess.ability - loss(model)
  const priors = new Map<string, Prior>()
  return {
    key,
    ability,
    source: guess.source,
    prior(category) {
      let prior = priors.get(category)
      if (prior !== undefined) return prior
      const expected = 1 / (1 + Math.exp(difficulty(category) - ability))
      const seen = measured?.rates[category]
      const rate = seen === undefined ? expected : (seen.rate * seen.count + 10 * expected) / (seen.count + 10)
      prior = {
        rate: easier(rate),
        base: category === unknownCategory ? easier(expected) : easier(base(category)),
        strength: seen === undefined ? guessedStrength : measuredStrength,
      }
      priors.set(category, prior)
      return prior
    },
  }
}

function guessed(model: Model, weights: Weights | undefined): { ability: number; source: Ability['source'] } {
  const size = model.parametersB ?? sizeInName(model.name)
  const bySize = weights?.bySize ?? { atEightB: 0, perDoubling: 0.35 }
  if (size !== undefined) {
    return { ability: bySize.atEightB + bySize.perDoubling * Math.log2(clamp(size, 0.2, 2000) / 8), source: 'size' }
  }
  if (model.price !== undefined && !model.free) {
    const byPrice = weights?.byPrice ?? { atOneDollar: 0.7, perDoubling: 0.15 }
    const dollars = clamp(model.price.output, 0.05, 100)
    return { ability: byPrice.atOneDollar + byPrice.perDoubling * Math.log2(dollars), source: 'price' }
  }
  return { ability: bySize.atEightB, source: 'nothing' }
}

/** Billions of parameters, where the name says so: `qwen3:8b`, `mixtral-8x7b`. */
function sizeInName(name: string): number | undefined {
  const found = /(?:^|[^a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)b(?:$|[^a-z])/i.exec(name)
  return found === null ? undefined : Number(found[1] ?? 1) * Number(found[2])
}

function easier(rate: number): number {
  const sure = clamp(rate, 0.01, 0.99)
  return 1 / (1 + ((1 - sure) / sure) * Math.exp(-everydayEase))
}

function loss({ quantization, name }: Model): number {
  const text = quantization ?? name
  return quantizationLoss.find(([pattern]) => pattern.test(text))?.[1] ?? 0
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}
