import type { Model } from '../../src/providers/provider.ts'
import { loadAbilityTable, type KnownModel } from '../../src/router/ability-table.ts'
import { seededRandom } from '../../src/router/chance.ts'
import { createPublicAbilities } from '../../src/router/public-ability.ts'
import { blendedPrices } from './blended-prices.ts'
import { meanBound, type Bound } from './bootstrap.ts'
import { modelsOf } from './product.ts'
import type { Trial } from './two-model-gates.ts'

/** What a pool shows of its models: their size, release and price, or nothing but that they are there. */
export type Masking = 'facts' | 'nothing'

export interface UnlabelledGate {
  mean: Bound
  /** The mean of the best single model less the router's. */
  regret: number
  baselines: { name: string; mean: number; lead: Bound }[]
}

/**
 * A pool of which nothing was ever measured: the models of a table under unknown names, decided on by the product as
 * `auto` with its default settings.
 */
export function unlabelledGate(trials: readonly Trial[], masking: Masking): UnlabelledGate {
  const names = Object.keys(trials[0]!.test[0]!.outcomes)
  const { entryOf } = createPublicAbilities(loadAbilityTable())
  /** USD per million output tokens, by the table where it has prices. */
  const priceOf = (name: string) => blendedPrices[name] ?? entryOf(name)?.price ?? 1
  const models = maskedModels(names, masking, entryOf, priceOf)
  const random = seededRandom(13)
  const cheapest = names.reduce((a, b) => (priceOf(b) < priceOf(a) ? b : a))
  const rows = trials.flatMap(({ test, product }) => test.map(row => ({ row, product })))
  const means = names.map(name => mean(rows.map(({ row }) => row.outcomes[name]!.score)))
  const best = names[means.indexOf(Math.max(...means))]!
  const columns = {
    router: [] as number[],
    random: [] as number[],
    best_single: [] as number[],
    cheapest: [] as number[],
  }
  for (const { row, product } of rows) {
    const question = row.prompt === undefined ? { kind: row.category } : { text: row.prompt }
    const [first] = product.decide(question, models).ranked
    columns.router.push(row.outcomes[names[models.indexOf(first!)]!]!.score)
    columns.random.push(row.outcomes[names[Math.floor(random() * names.length)]!]!.score)
    columns.best_single.push(row.outcomes[best]!.score)
    columns.cheapest.push(row.outcomes[cheapest]!.score)
  }
  const { router, ...others } = columns
  return {
    mean: meanBound(router),
    regret: mean(columns.best_single) - mean(router),
    baselines: Object.entries(others).map(([name, scores]) => ({
      name,
      mean: mean(scores),
      lead: meanBound(router.map((score, row) => score - scores[row]!)),
    })),
  }
}

/** The models under names that say nothing, with what is published about them where the masking shows it. */
function maskedModels(
  names: readonly string[],
  masking: Masking,
  entryOf: (name: string) => KnownModel | undefined,
  priceOf: (name: string) => number,
): Model[] {
  return modelsOf(names).map((model, index) => {
    const masked = { ...model, id: `openrouter/unseen-${index}`, name: `unseen-${index}` }
    if (masking === 'nothing') return masked
    const known = entryOf(model.name)
    const price = { input: 0, output: priceOf(model.name) }
    return { ...masked, parametersB: known?.sizeB, released: known?.released, price }
  })
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
