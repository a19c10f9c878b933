import {
  abilityTableVersion,
  type AbilityTable,
  type AttributeGuess,
  type KnownModel,
} from '../../src/router/ability-table.ts'
import { compareVersions } from '../../src/router/model-releases.ts'
import { entriesOf, type Entry } from './entries.ts'
import type { Facts } from './facts.ts'
import { fitAbilities, leastSquares, sum, years, type Fit } from './fit.ts'

/** A model that is more uncertain than this is better predicted from its siblings. */
const maxSd = 0.5

/** The shipped table, made from `facts`. `without` leaves benchmarks out, so that the result can be tested against them. */
export function makeTable(facts: Facts, without: (benchmark: string) => boolean = () => false): AbilityTable {
  const scores = facts.scores.filter(({ benchmark }) => !without(benchmark))
  const entries = entriesOf({ scores, models: facts.models })
  const fit = fitAbilities(entries, facts.benchmarks)
  const known = entries.filter(
    ({ key, identity }) => fit.abilities.get(key)!.sd <= maxSd && identity.family !== undefined,
  )
  const models = succession(known, Object.fromEntries(known.map(each => [each.key, knownModel(each, fit, facts)])))
  const { none, low, high } = fit.effort
  return {
    version: abilityTableVersion,
    sources: Object.fromEntries(
      Object.entries(facts.sources).map(([id, { name, url, license, date }]) => [id, { name, url, license, date }]),
    ),
    models,
    guesses: guesses(known, models),
    siblings: siblings(known, models),
    effort: rounded({ thinking: thinking(known, models), none, low, high }),
  }
}

function knownModel({ key, results, released, sizeB, price }: Entry, fit: Fit, facts: Facts): KnownModel {
  const { ability, sd, kinds } = fit.abilities.get(key)!
  return {
    ability: round(ability),
    sd: round(sd),
    results: results.length,
    ...(released === undefined ? {} : { released }),
    ...(sizeB === undefined ? {} : { sizeB }),
    ...(price === undefined ? {} : { price }),
    ...(Object.keys(kinds).length === 0 ? {} : { kinds: rounded(kinds as Record<string, number>) }),
    sources: [...new Set(results.map(({ benchmark }) => facts.benchmarks[benchmark]!.source))].sort(),
  }
}

/** A model is never rated above its successor in the same product tier if that costs no more. */
function succession(entries: readonly Entry[], models: Record<string, KnownModel>): Record<string, KnownModel> {
  const lines = Map.groupBy(entries, ({ identity }) => [identity.stem, ...identity.words].join('-'))
  for (const line of lines.values()) {
    const latestFirst = line
      .filter(each => each.released !== undefined && each.price !== undefined)
      .sort((a, b) => years(b) - years(a))
    for (const [index, { key, price, sizeB, identity }] of latestFirst.entries()) {
      const successors = latestFirst
        .slice(0, index)
        .filter(
          later =>
            later.price! <= price! &&
            (later.sizeB ?? Infinity) >= (sizeB ?? 0) &&
            compareVersions(later.identity.version, identity.version) >= 0 &&
            later.identity.version !== undefined,
        )
      const least = Math.min(...successors.map(later => models[later.key]!.ability))
      models[key]!.ability = Math.min(models[key]!.ability, least)
    }
  }
  return models
}

const attributes = ['size', 'date', 'price'] as const
const subsets = ['', 'size', 'date', 'price', 'size+date', 'size+price', 'date+price', 'size+date+price']

/** A regression for every set of known attributes; its error is measured on held-out families. */
function guesses(entries: readonly Entry[], models: Record<string, KnownModel>): Record<string, AttributeGuess> {
  return Object.fromEntries(
    subsets.map(subset => {
      const used = attributes.filter(attribute => subset.split('+').includes(attribute))
      const rows = entries
        .filter(each => used.every(attribute => valueOf(each, attribute) !== undefined))
        .map(each => ({
          family: each.identity.family!,
          xs: [1, ...used.map(attribute => valueOf(each, attribute)!)],
          y: models[each.key]!.ability,
        }))
      const fitted = monotone(rows, used)
      const misses = [...Map.groupBy(rows, ({ family }) => family)].flatMap(([family, own]) => {
        const solution = monotone(
          rows.filter(row => row.family !== family),
          used,
        )
        return own.map(({ xs, y }) => y - sum(xs.map((x, index) => x * solution[index]!)))
      })
      const coefficient = (attribute: (typeof attributes)[number]) => {
        const index = used.indexOf(attribute)
        return index === -1 ? 0 : fitted[index + 1]!
      }
      const sd = Math.sqrt(sum(misses.map(miss => miss ** 2)) / misses.length)
      return [
        subset,
        rounded({
          intercept: fitted[0]!,
          size: coefficient('size'),
          date: coefficient('date'),
          price: coefficient('price'),
          sd,
        }),
      ]
    }),
  )
}

/** Size, release and price never count against a model: their coefficients are not negative. */
function monotone(rows: readonly { xs: number[]; y: number }[], used: readonly string[]): number[] {
  const solution = leastSquares(
    rows.map(({ xs }) => xs),
    rows.map(({ y }) => y),
    1,
  )
  const wrong = used.findIndex((_, index) => solution[index + 1]! < 0)
  if (wrong === -1) return solution
  const rest = monotone(
    rows.map(({ xs, y }) => ({ xs: xs.filter((_, index) => index !== wrong + 1), y })),
    used.filter((_, index) => index !== wrong),
  )
  return [...rest.slice(0, wrong + 1), 0, ...rest.slice(wrong + 1)]
}

function valueOf(entry: Entry, attribute: (typeof attributes)[number]): number | undefined {
  if (attribute === 'date') return entry.released === undefined ? undefined : years(entry)
  if (attribute === 'size') return entry.sizeB === undefined ? undefined : Math.log2(entry.sizeB / 8)
  return entry.price === undefined ? undefined : Math.log2(Math.min(20, Math.max(0.05, entry.price)))
}

/** How two members of a family differ, from all pairs of similar members. */
function siblings(entries: readonly Entry[], models: Record<string, KnownModel>): AbilityTable['siblings'] {
  const pairs: { size: number; date: number; words: number; y: number }[] = []
  for (const members of Map.groupBy(entries, ({ identity }) => identity.family).values()) {
    for (const [index, one] of members.entries()) {
      for (const other of members.slice(index + 1)) {
        const size = one.sizeB === undefined || other.sizeB === undefined ? 0 : Math.log2(one.sizeB / other.sizeB)
        const date = one.released === undefined || other.released === undefined ? 0 : years(one) - years(other)
        const words = differing(one.identity.words, other.identity.words)
        const comparable = (one.sizeB === undefined) === (other.sizeB === undefined)
        const datable =
          (one.released !== undefined && other.released !== undefined) ||
          one.identity.version === other.identity.version
        if (!comparable || !datable || Math.abs(size) > 3 || Math.abs(date) > 1.5 || words > 2) continue
        pairs.push({ size, date, words, y: models[one.key]!.ability - models[other.key]!.ability })
      }
    }
  }
  const same = pairs.filter(({ words }) => words === 0)
  const [, perDoubling = 0, perYear = 0] = leastSquares(
    same.map(({ size, date }) => [1, size, date]),
    same.map(({ y }) => y),
    1,
  )
  const squares = pairs.map(({ size, date, y }) => (y - perDoubling * size - perYear * date) ** 2)
  const variance = leastSquares(
    pairs.map(({ size, date, words }) => [1, Math.abs(size), Math.abs(date), words]),
    squares,
    1,
  )
  const [any = 0, byDoubling = 0, byYear = 0, byWord = 0] = variance.map(value => Math.max(0.01, value))
  return {
    ...rounded({ perDoubling, perYear }),
    variance: rounded({ any, perDoubling: byDoubling, perYear: byYear, perWord: byWord }),
  }
}

function differing(some: readonly string[], others: readonly string[]): number {
  return some.filter(word => !others.includes(word)).length + others.filter(word => !some.includes(word)).length
}

/** The gain from reasoning, from models that are offered with and without it. */
function thinking(entries: readonly Entry[], models: Record<string, KnownModel>): number {
  const gains = entries
    .filter(({ identity }) => identity.words.includes('thinking'))
    .flatMap(({ key }) => {
      const without = models[key.replace('-thinking', '')]
      return without === undefined ? [] : [models[key]!.ability - without.ability]
    })
    .sort((a, b) => a - b)
  return gains[Math.floor(gains.length / 2)] ?? 0
}

function rounded<Values extends Record<string, number>>(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value)])) as Values
}

function round(value: number): number {
  return Number(value.toFixed(3))
}
