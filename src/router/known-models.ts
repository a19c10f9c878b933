import type { Model } from '../providers/provider.ts'
import type { AbilityTable, KnownModel } from './ability-table.ts'
import { identify, type ModelIdentity } from './model-identity.ts'
import { compareVersions, dateOf, years, yearsApart } from './model-releases.ts'

/** What a server tells about a model. */
export type Described = Pick<Model, 'name' | 'family' | 'parametersB' | 'price' | 'free' | 'released'>

export interface Identity extends ModelIdentity {
  /** Its server tells the family, but its name nothing of the model's place in it. */
  nameless: boolean
}

/** One entry of the table. */
export interface Listed {
  key: string
  date: string | undefined
  known: KnownModel
  identity: ModelIdentity
  /** Years from the start of 2024 to its release, where that is known. */
  since: number | undefined
}

/** The table, to be looked things up in. */
export interface KnownModels {
  byName: ReadonlyMap<string, readonly Listed[]>
  byFamily: ReadonlyMap<string, readonly Listed[]>
}

/** Sizes that are one size: names round. */
const sameSize = 0.12

/** A server lists a model some days after it came out. */
const listingDelayYears = 0.12

/** What the name says, and where it says nothing, what the server does. */
export function described({ name, family, parametersB }: Described): Identity {
  const identity = identify(name)
  const sized = { ...identity, sizeB: identity.sizeB ?? parametersB, nameless: false }
  if (sized.family !== undefined || family === undefined) return sized
  const ofFamily = identify(family)
  return {
    ...sized,
    family: ofFamily.family,
    stem: ofFamily.stem,
    version: ofFamily.version,
    words: [],
    nameless: ofFamily.family !== undefined,
  }
}

export function indexOf({ models }: AbilityTable): KnownModels {
  const listed = Object.entries(models).map(([key, known]): Listed => {
    const [name = '', date] = key.split('@')
    const since = known.released === undefined ? undefined : years(known.released)
    return { key, date, known, identity: identify(name), since }
  })
  return {
    byName: Map.groupBy(listed, ({ key }) => key.split('@')[0]!),
    byFamily: Map.groupBy(listed, ({ identity }) => identity.family ?? ''),
  }
}

export function exact({ name, date, latest }: ModelIdentity, { byName }: KnownModels): Listed | undefined {
  const releases = byName.get(name)
  if (releases === undefined || latest) return undefined
  if (date !== undefined) {
    const same = releases.find(
      each => each.date !== undefined && (each.date.endsWith(date) || date.endsWith(each.date)),
    )
    return same ?? (releases.length === 1 && releases[0]!.date === undefined ? releases[0] : undefined)
  }
  const undated = releases.find(each => each.date === undefined)
  const best = releases.reduce((most, each) => (each.known.results > most.known.results ? each : most))
  return undated !== undefined && undated.known.results * 3 >= best.known.results ? undated : best
}

/** The size that a server tells stands for the one that the name leaves out. */
export function bySize(identity: ModelIdentity, { name }: Described, { byFamily }: KnownModels): Listed | undefined {
  const { sizeB } = identity
  if (sizeB === undefined || identity.family === undefined || identify(name).sizeB !== undefined) return undefined
  return (byFamily.get(identity.family) ?? [])
    .filter(
      each => alike(each.identity, identity) && sizeOf(each) !== undefined && apart(sizeOf(each)!, sizeB) < sameSize,
    )
    .sort((a, b) => apart(sizeOf(a)!, sizeB) - apart(sizeOf(b)!, sizeB) || b.known.results - a.known.results)[0]
}

/** The release nearest to what the server tells. */
export function anotherRelease(
  { name, date, latest }: ModelIdentity,
  { released }: Described,
  { byName }: KnownModels,
): Listed | undefined {
  const releases = byName.get(name)
  if (releases === undefined || latest) return undefined
  const when = released ?? dateOf(date)
  const dated = releases.filter(each => each.known.released !== undefined)
  if (when === undefined || dated.length === 0) return newest(releases)
  const distance = ({ known }: Listed) => Math.abs(yearsApart(when, known.released))
  return dated.sort((a, b) => distance(a) - distance(b))[0]
}

/** A remote offer without a size is the largest of its kind; an unknown version is the newest. */
export function unsized(
  identity: ModelIdentity,
  { released }: Described,
  { byFamily }: KnownModels,
): Listed | undefined {
  if (identity.family === undefined || identity.sizeB !== undefined) return undefined
  const members = (byFamily.get(identity.family) ?? []).filter(
    each =>
      each.identity.stem === identity.stem &&
      sameWords(each.identity, identity) &&
      (identity.version === undefined || each.identity.version === identity.version),
  )
  if (identity.version !== undefined) {
    return members.sort(
      (a, b) => (sizeOf(b) ?? Infinity) - (sizeOf(a) ?? Infinity) || b.known.results - a.known.results,
    )[0]
  }
  const until = members.filter(
    ({ known }) =>
      released === undefined ||
      (known.released !== undefined && yearsApart(released, known.released) > -listingDelayYears),
  )
  return newest(until.length === 0 ? members : until)
}

function alike(one: ModelIdentity, other: ModelIdentity): boolean {
  return (
    one.stem === other.stem &&
    one.version === other.version &&
    sameWords(one, other) &&
    (other.date === undefined || one.date === other.date)
  )
}

export function sameWords(one: ModelIdentity, other: ModelIdentity): boolean {
  return one.words.length === other.words.length && one.words.every(word => other.words.includes(word))
}

function newest(members: readonly Listed[]): Listed | undefined {
  return [...members].sort(
    (a, b) =>
      compareVersions(b.identity.version, a.identity.version) ||
      years(b.known.released ?? '2023') - years(a.known.released ?? '2023'),
  )[0]
}

export function sizeOf({ known, identity }: Listed): number | undefined {
  return identity.sizeB ?? known.sizeB
}

function apart(one: number, other: number): number {
  return Math.abs(Math.log(one / other))
}
