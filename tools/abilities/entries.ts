import { identify, type ModelIdentity } from '../../src/router/model-identity.ts'
import { dateOf } from '../../src/router/model-releases.ts'
import type { Facts } from './facts.ts'

/** One model of the table with everything published about it. */
export interface Entry {
  /** Canonical name, with `@` and the release where the name was released more than once. */
  key: string
  identity: ModelIdentity
  released: string | undefined
  sizeB: number | undefined
  price: number | undefined
  results: Result[]
}

export interface Result {
  benchmark: string
  score: number
  effort: NonNullable<ModelIdentity['effort']> | 'usual'
}

/** Entries that name a way of prompting, not a model: numbers of examples, odd contexts. */
const oddities = /shot|seqlen|litert|-8192|harness/i

/** Facts by the router's names of models. If several names of a source mean one model, the best result counts. */
export function entriesOf({ scores, models }: Pick<Facts, 'scores' | 'models'>): Entry[] {
  const identities = new Map<string, ModelIdentity>()
  for (const { model } of [...scores, ...models]) {
    if (!identities.has(model))
      identities.set(model, identify(model.replaceAll(/_(\d+)k\b/gi, '-thinking-$1k').replaceAll('_', '-')))
  }
  const keyOf = keys([...identities.values()])
  const entries = new Map<string, Entry>()
  const entry = (model: string): Entry => {
    const identity = identities.get(model)!
    const key = keyOf(identity)
    const found = entries.get(key)
    if (found !== undefined) return found
    const made = { key, identity, released: releaseIn(key), sizeB: identity.sizeB, price: undefined, results: [] }
    entries.set(key, made)
    return made
  }
  for (const { benchmark, model, score } of scores) {
    if (oddities.test(model)) continue
    const { results } = entry(model)
    const effort = relativeEffort(identities.get(model)!)
    const same = results.find(each => each.benchmark === benchmark && each.effort === effort)
    if (same === undefined) results.push({ benchmark, score, effort })
    else same.score = Math.max(same.score, score)
  }
  const preferred = [...models].sort((a, b) => Number(b.source === 'models.dev') - Number(a.source === 'models.dev'))
  const dated = new Map<string, string>()
  for (const { model, source, released, sizeB, outputPrice } of preferred) {
    const identity = identities.get(model)!
    const found = entries.get(keyOf(identity))
    if (found === undefined || identity.free || identity.latest) continue
    const by = dated.get(found.key)
    if (
      released !== undefined &&
      releaseIn(found.key) === undefined &&
      (by === undefined || (by === source && released < found.released!))
    ) {
      found.released = released
      dated.set(found.key, source)
    }
    found.sizeB ??= sizeB
    if (outputPrice !== undefined) found.price = Math.min(found.price ?? Infinity, outputPrice)
  }
  return [...entries.values()].filter(({ results }) => results.length > 0).sort((a, b) => (a.key < b.key ? -1 : 1))
}

/**
 * A name that was released once, by a maker that writes full dates, needs no release in its key; a month and day, or a year
 * and month, distinguish a later release from the first, which has none.
 */
function keys(identities: readonly ModelIdentity[]): (identity: ModelIdentity) => string {
  const releases = new Map<string, Set<string>>()
  for (const { name, date } of identities) {
    if (date !== undefined) releases.set(name, (releases.get(name) ?? new Set()).add(date))
  }
  const full = (name: string, date: string) =>
    [...(releases.get(name) ?? [])].find(other => other.length > date.length && other.endsWith(date)) ?? date
  return ({ name, date }) => {
    if (date === undefined) return name
    const distinct = new Set([...(releases.get(name) ?? [])].map(each => full(name, each)))
    return distinct.size === 1 && [...distinct][0]!.length === 8 ? name : `${name}@${full(name, date)}`
  }
}

/** The release that a key ends with, if it contains the year. */
function releaseIn(key: string): string | undefined {
  return dateOf(key.split('@')[1])
}

/** The effort of a result relative to the default of its model, which is high for Claude and Gemini. */
function relativeEffort({ effort, family }: ModelIdentity): Result['effort'] {
  if (effort === undefined || effort === 'medium') return 'usual'
  return effort === 'high' && (family === 'claude' || family === 'gemini') ? 'usual' : effort
}
