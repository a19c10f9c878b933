import { LRUCache } from 'lru-cache'
import { clamp } from './clamp.ts'
import type { Model } from '../providers/provider.ts'
import type { KnownModel } from './ability-table.ts'
import type { Prior } from './beliefs.ts'
import { kindFactsOf } from './judged-kinds.ts'
import { canonicalName, evidenceKey } from './model-identity.ts'
import type { PublicAbility } from './ability-guess.ts'
import type { PublicAbilities } from './public-ability.ts'
import { expectedRate, shrunkRate, smallTalkDifficulty } from './success.ts'
import { smallTalk, unknownCategory } from './text/judge.ts'
import type { Weights } from './weights.ts'

/** What is expected of a model before this installation saw it work. */
export interface Ability {
  /** What evidence about it is kept under: the same model on two endpoints is one, another digest is another. */
  key: string
  /** Log odds of success at a task of difficulty 0, on the scale of the weights. */
  ability: number
  /** Standard deviation of `ability`: small where results are published, wide for guesses. */
  sd: number
  /** By kind of work of public benchmarks (`coding`, `math`, `tools` …): log odds to add to `ability`. */
  byKind: Readonly<Record<string, number>>
  /** Where that comes from, for people. */
  source: 'measured in public data' | PublicAbility['basis']
  prior: (category: string) => Prior
  /** The ability beside which the slopes of texts were learned: what the weights' own tables say, where they know the model. */
  slopeAbility: number
  /** How much this model has of the skills that texts ask for; absent where they were not measured. */
  skills?: readonly number[] | undefined
  /** Mean output tokens by kind of task, where public data tells. */
  outputTokens?: Readonly<Record<string, number>> | undefined
}

const measuredStrength = 20
const defaultBase = 0.4
/** Standard deviation in log odds of what the tables that the weights were trained on say of a model in general: they are few. */
const measuredSd = 0.3

/** Log odds lost to quantization, by bits; eight bits and more lose nothing that can be seen. */
const quantizationLoss: readonly [pattern: RegExp, loss: number][] = [
  [/(?:^|[^a-z])i?q1/i, 1.5],
  [/(?:^|[^a-z])i?q2|^2_?bit/i, 0.8],
  [/(?:^|[^a-z])i?q3|^3_?bit/i, 0.3],
  [/(?:^|[^a-z])i?q4|int4|4_?bit|fp4|awq|gptq|w4a/i, 0.1],
  [/(?:^|[^a-z])i?q5/i, 0.05],
]

/** Number of model descriptions that are cached: providers create new ones each time they list their models. */
const maxDescriptions = 4096

/** Expectations of models, remembered per model object and per description, since a decision looks at hundreds of them. */
export function createAbilities(
  weights: Weights | undefined,
  { publicAbilityOf, entryOf }: PublicAbilities,
): (model: Model) => Ability {
  const known = new WeakMap<Model, Ability>()
  const described = new LRUCache<string, Ability>({ max: maxDescriptions })
  const expectations = { publicAbilityOf, measured: measuredModels(weights), scale: scaleOf(weights, entryOf), weights }
  return model => {
    const remembered = known.get(model)
    if (remembered !== undefined) return remembered
    const description = descriptionOf(model)
    let ability = described.get(description)
    if (ability === undefined) described.set(description, (ability = abilityOf(model, expectations)))
    known.set(model, ability)
    return ability
  }
}

/** All of a model that its ability rests on. */
function descriptionOf({ name, family, parametersB, quantization, digest, price, free, released }: Model): string {
  return JSON.stringify([name, family, parametersB, quantization, digest, price?.output, free, released])
}

type Measured = Weights['models'][string]

interface Expectations {
  publicAbilityOf: (model: Model) => PublicAbility
  measured: ReadonlyMap<string, Measured>
  scale: Scale
  weights: Weights | undefined
}

/** The table's abilities on the scale of the weights: `offset + slope × ability`, with the standard deviation of that. */
interface Scale {
  offset: number
  slope: number
  sd: number
}

function measuredModels(weights: Weights | undefined): Map<string, Measured> {
  return new Map(Object.entries(weights?.models ?? {}).map(([name, model]) => [canonicalName(name), model]))
}

/** Where the weights know none of the table's models: about what it was with all weights so far. */
const defaultScale: Scale = { offset: 0.55, slope: 0.55, sd: 0.2 }
const minSlope = 0.3
/** Models that both know, from which on they tell the slope; fewer tell only where the line lies. */
const enoughForSlope = 3

/** The line through the models that both know. */
function scaleOf(weights: Weights | undefined, entryOf: (name: string) => KnownModel | undefined): Scale {
  const pairs = Object.entries(weights?.models ?? {})
    .map(([name, { ability }]) => ({ known: entryOf(name), ability }))
    .filter((pair): pair is { known: KnownModel; ability: number } => pair.known !== undefined)
  if (pairs.length === 0) return defaultScale
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(pairs.map(({ known }) => known.ability)), mean(pairs.map(({ ability }) => ability))]
  if (pairs.length < enoughForSlope) return { ...defaultScale, offset: y - defaultScale.slope * x }
  const xy = mean(pairs.map(({ known, ability }) => (known.ability - x) * (ability - y)))
  const xx = mean(pairs.map(({ known }) => (known.ability - x) ** 2))
  const slope = Math.max(minSlope, xx === 0 ? 1 : xy / xx)
  const offset = y - slope * x
  const sd = Math.sqrt(mean(pairs.map(({ known, ability }) => (ability - offset - slope * known.ability) ** 2)))
  return { offset, slope, sd }
}

function abilityOf(model: Model, { publicAbilityOf, measured, scale, weights }: Expectations): Ability {
  const own = measured.get(canonicalName(model.name))
  const published = publicAbilityOf(model)
  const expected = together(own, published, scale)
  const ability = expected.ability - lossOf(model)
  const priors = new Map<string, Prior>()
  return {
    key: evidenceKey(model.name, model.digest ?? model.quantization),
    ability,
    sd: expected.sd,
    byKind: published.kinds,
    source: own === undefined ? published.basis : 'measured in public data',
    slopeAbility: own?.ability ?? ability,
    skills: own?.skills,
    outputTokens: own?.outputTokens,
    prior(category) {
      let prior = priors.get(category)
      if (prior !== undefined) return prior
      const facts = kindFactsOf(weights, category) ?? weights?.kinds[unknownCategory]
      const chance = expectedRate(ability, facts?.difficulty ?? (category === smallTalk ? smallTalkDifficulty : 0))
      const seen = own?.rates[category]
      prior = {
        rate: shrunkRate(seen, chance),
        base: facts?.rate ?? (category === smallTalk ? chance : defaultBase),
        strength: seen === undefined ? strengthOf(expected.sd, chance) : measuredStrength,
      }
      priors.set(category, prior)
      return prior
    },
  }
}

/** What the weights' own tables say and what is published elsewhere, each by how sure it is. */
function together(
  own: Measured | undefined,
  published: PublicAbility,
  { offset, slope, sd }: Scale,
): { ability: number; sd: number } {
  const elsewhere = { ability: offset + slope * published.ability, sd: Math.hypot(slope * published.sd, sd / 2) }
  if (own === undefined) return elsewhere
  if (published.basis !== 'public results') return { ability: own.ability, sd: measuredSd }
  const [here, there] = [1 / measuredSd ** 2, 1 / elsewhere.sd ** 2]
  return {
    ability: (here * own.ability + there * elsewhere.ability) / (here + there),
    sd: 1 / Math.sqrt(here + there),
  }
}

/** Log odds by which a model's success at one kind of task strays from what its ability and the kind's difficulty say. */
const categorySd = 0.7

/** Observations that an expected rate is worth: those of a beta distribution as wide as the log odds are uncertain. */
function strengthOf(sd: number, rate: number): number {
  const variance = sd ** 2 + categorySd ** 2
  return clamp(1 / (variance * rate * (1 - rate)) - 1, 1, measuredStrength)
}

function lossOf({ quantization, name }: Model): number {
  const text = quantization ?? name
  return quantizationLoss.find(([pattern]) => pattern.test(text))?.[1] ?? 0
}
