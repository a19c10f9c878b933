import type { Model } from '../../src/providers/provider.ts'
import { loadAbilityTable, type AbilityTable } from '../../src/router/ability-table.ts'
import { seededRandom } from '../../src/router/chance.ts'
import { learnOutcome } from '../../src/router/evidence.ts'
import { identify } from '../../src/router/model-identity.ts'
import { createPublicAbilities } from '../../src/router/public-ability.ts'
import type { Weights } from '../../src/router/weights.ts'
import { blendedPrices } from './blended-prices.ts'
import { meanBound, type Bound } from './bootstrap.ts'
import { poolFacts, type PoolFacts } from './pool-facts.ts'
import { modelsOf, productOf } from './product.ts'
import type { OutcomeRow } from './outcomes.ts'

/** What a pool shows of its models: family, size, release and price, the price alone, or nothing but that they are there. */
export type Masking = 'facts' | 'price' | 'nothing'
export const maskings: readonly Masking[] = ['facts', 'price', 'nothing']

export interface UnlabelledGate {
  mean: Bound
  /** The mean of the best single model less the router's. */
  regret: number
  /** Whether the pool shows anything that tells its models apart. */
  distinguishable: boolean
  /** Of what always asking the best single model costs; absent where the table has no prices. */
  costShare: number | undefined
  baselines: { name: string; mean: number; lead: Bound }[]
}

/** Rows to judge, and weights that were trained on others. */
export interface UnlabelledTrial {
  test: readonly OutcomeRow[]
  weights: Weights
}

/**
 * A pool of which nothing was ever measured: the models of a table under names that nobody knows, without their entries in the
 * table of public results, decided on by the product as `preset` with its default settings. The pool is put in several orders,
 * since where nothing tells models apart the first one listed is taken.
 */
export function unlabelledGate(trials: readonly UnlabelledTrial[], masking: Masking, preset: string): UnlabelledGate {
  const names = Object.keys(trials[0]!.test[0]!.outcomes)
  const facts = factsOf(names)
  const prices = names.map(name => facts.get(name)!.price)
  const priced = prices.every(price => price !== undefined)
  const publicAbilities = createPublicAbilities(without(loadAbilityTable(), names))
  const rows = trials.flatMap(({ test }) => test)
  const means = names.map(name => mean(rows.map(row => row.outcomes[name]!.score)))
  const best = names[means.indexOf(Math.max(...means))]!
  const cheapest = priced ? names[prices.indexOf(Math.min(...prices))]! : undefined
  const columns = {
    router: [] as number[],
    random: [] as number[],
    best_single: [] as number[],
    cheapest: [] as number[],
  }
  let spent = 0
  const random = seededRandom(13)
  for (const { test, weights } of trials) {
    const product = productOf(weights, publicAbilities)
    for (const row of test) {
      const order = shuffled(names, random)
      const models = maskedModels(order, masking, facts)
      const question = row.prompt === undefined ? { kind: row.category } : { text: row.prompt }
      const [first] = product.decide(question, models, preset).ranked
      const chosen = order[models.indexOf(first!)]!
      columns.router.push(row.outcomes[chosen]!.score)
      columns.random.push(mean(names.map(name => row.outcomes[name]!.score)))
      columns.best_single.push(row.outcomes[best]!.score)
      if (cheapest !== undefined) columns.cheapest.push(row.outcomes[cheapest]!.score)
      if (priced) spent += facts.get(chosen)!.price! / rows.length
    }
  }
  const { router, ...others } = columns
  return {
    mean: meanBound(router),
    distinguishable: masking === 'facts' || (masking === 'price' && priced),
    regret: mean(columns.best_single) - mean(router),
    costShare: priced ? spent / facts.get(best)!.price! : undefined,
    baselines: Object.entries(others)
      .filter(([, scores]) => scores.length > 0)
      .map(([name, scores]) => ({
        name,
        mean: mean(scores),
        lead: meanBound(router.map((score, row) => score - scores[row]!)),
      })),
  }
}

/**
 * A pool that shows nothing of its models but that they are there, as a stream: the product answers each prompt as 'auto:quality', and
 * only the score of the model that answered is told to it, as a rating. Its lead is over a choice at random.
 */
export function ratedGate(trials: readonly UnlabelledTrial[]): { mean: Bound; regret: number; lead: Bound } {
  const random = seededRandom(29)
  const scores: number[] = []
  const chance: number[] = []
  const names = Object.keys(trials[0]!.test[0]!.outcomes)
  const all = trials.flatMap(({ test }) => test)
  for (const { test, weights } of trials) {
    const product = productOf(weights)
    const order = shuffled(names, random)
    const models = maskedModels(order, 'nothing', factsOf(names))
    for (const row of shuffled(test, random)) {
      const question = row.prompt === undefined ? { kind: row.category } : { text: row.prompt }
      const { ranked, measured } = product.decide(question, models, 'auto:quality')
      const { score } = row.outcomes[order[models.indexOf(ranked[0]!)]!]!
      const { key, prior } = product.knowledge.abilityOf(ranked[0]!)
      const outcome = { model: key, categories: measured.categories, signal: 'feedback', score, prior } as const
      learnOutcome(product.knowledge.evidence, outcome, 0)
      scores.push(score)
      chance.push(mean(names.map(name => row.outcomes[name]!.score)))
    }
  }
  const best = Math.max(...names.map(name => mean(all.map(row => row.outcomes[name]!.score))))
  return {
    mean: meanBound(scores),
    regret: best - mean(scores),
    lead: meanBound(scores.map((score, index) => score - chance[index]!)),
  }
}

function factsOf(names: readonly string[]): Map<string, PoolFacts> {
  const { entryOf } = createPublicAbilities(loadAbilityTable())
  return new Map(
    names.map(name => {
      const { released, sizeB, price } = entryOf(name) ?? {}
      const known = { released, sizeB: sizeB ?? identify(name).sizeB, price: blendedPrices[name] ?? price }
      return [name, { ...definedOf(known), ...poolFacts[name] }]
    }),
  )
}

function definedOf(facts: { [key in keyof PoolFacts]: PoolFacts[key] | undefined }): PoolFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

/** The table as it would be if nobody had measured these models, in any release and at any effort. */
function without(table: AbilityTable, names: readonly string[]): AbilityTable {
  const bare = (name: string) => identify(name).name.split('@')[0]!.replace('-thinking', '')
  const hidden = new Set(names.map(bare))
  return {
    ...table,
    models: Object.fromEntries(Object.entries(table.models).filter(([key]) => !hidden.has(bare(key.split('@')[0]!)))),
  }
}

/** The models under names that say nothing, with what the masking shows of them. Without prices all cost the same. */
function maskedModels(names: readonly string[], masking: Masking, facts: ReadonlyMap<string, PoolFacts>): Model[] {
  const priced = masking !== 'nothing' && names.every(name => facts.get(name)?.price !== undefined)
  return modelsOf(names).map((model, index) => {
    const { released, sizeB, price } = facts.get(model.name)!
    const masked = { ...model, id: `openrouter/unseen-${index}`, name: `unseen-${index}` }
    const shown = priced ? { ...masked, price: { input: price! / 3, output: price! } } : masked
    return masking === 'facts' ? { ...shown, family: identify(model.name).family, parametersB: sizeB, released } : shown
  })
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  return values
    .map(value => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value)
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
