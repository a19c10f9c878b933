import type { Model } from '../providers/provider.ts'
import type { AbilityTable, KnownModel } from './ability-table.ts'
import { identify, type ModelIdentity } from './model-identity.ts'

/** What is expected of a model by what is published about it or about models like it, on the table's scale. */
export interface PublicAbility {
  /** Log odds of success at a benchmark of difficulty 0. */
  ability: number
  /** Standard deviation of it in log odds: small where results are published, wide for guesses. */
  sd: number
  /** By kind of work: log odds to add. */
  kinds: Readonly<Record<string, number>>
  basis:
    | 'public results'
    | 'another release'
    | 'the model it was tuned from'
    | 'a sibling'
    | 'size'
    | 'date'
    | 'price'
    | 'nothing'
  /** Which model of the table it rests on. */
  like?: string
}

type Described = Pick<Model, 'name' | 'family' | 'parametersB' | 'price' | 'free' | 'released'>

interface Listed {
  key: string
  date: string | undefined
  known: KnownModel
  identity: ModelIdentity
}

interface Index {
  byName: ReadonlyMap<string, readonly Listed[]>
  byFamily: ReadonlyMap<string, readonly Listed[]>
}

/** Further from the model that results are about than its own release. */
const otherReleaseVariance = 0.15 ** 2
const tunedVariance = 0.4 ** 2
/** Tuning by others rarely improves a model at what benchmarks ask. */
const tunedLoss = 0.1
const thinkingVariance = 0.2 ** 2
/** Sizes that are one size: names round. */
const sameSize = 0.12
/** Price says the least: so much of a guess may hang on it, up or down from what a usual model costs. */
const mostOfPrice = 0.4
/** Log2 of USD per million output tokens. */
const usualPrice = 1
/** How much further a sibling of another version is. */
const otherVersion = 0.3
/** A family alone leaves so many words of the name open. */
const namelessWords = 1.5
/** How much further a sibling is for each doubling between prices, where nothing else tells its place in the line. */
const unlikePrice = 0.15
/** What is so much newer is of the next generation, whatever its place in the line. */
const generationYears = 0.75
/** A server lists a model some days after it came out. */
const listingDelayYears = 0.12

/** Expectations by published results. Pure; asked once a model, since its answer never changes. */
export function createPublicAbility(table: AbilityTable): (model: Described) => PublicAbility {
  const index = indexOf(table)
  return model => {
    const identity = described(model)
    const found = identity.nameless ? undefined : published(identity, model, table, index)
    const effort = identity.effort === undefined || identity.effort === 'medium' ? 0 : table.effort[identity.effort]
    const { ability, ...rest } = found ?? guess(identity, model, table, index)
    return { ability: ability + effort, ...rest }
  }
}

/** The entry that published results about exactly this model are under. */
export function publishedEntry(table: AbilityTable): (name: string) => KnownModel | undefined {
  const index = indexOf(table)
  return name => exact(identify(name), index)?.known
}

function indexOf({ models }: AbilityTable): Index {
  const listed = Object.entries(models).map(([key, known]): Listed => {
    const [name = '', date] = key.split('@')
    return { key, date, known, identity: identify(name) }
  })
  return {
    byName: Map.groupBy(listed, ({ key }) => key.split('@')[0]!),
    byFamily: Map.groupBy(listed, ({ identity }) => identity.family ?? ''),
  }
}

interface Identity extends ModelIdentity {
  /** Its server tells the family, but its name nothing of the model's place in it. */
  nameless: boolean
}

/** What the name says, and where it says nothing, what the server does. */
function described({ name, family, parametersB }: Described): Identity {
  const identity = identify(name)
  const sized = { ...identity, sizeB: identity.sizeB ?? parametersB, nameless: false }
  if (sized.family !== undefined || family === undefined) return sized
  const told = identify(family)
  return {
    ...sized,
    family: told.family,
    stem: told.stem,
    version: told.version,
    words: [],
    nameless: told.family !== undefined,
  }
}

function published(
  identity: ModelIdentity,
  model: Described,
  table: AbilityTable,
  index: Index,
): PublicAbility | undefined {
  const own = exact(identity, index) ?? bySize(identity, model, index)
  if (own !== undefined) return like(own, 'public results', 0, 0)
  const release = anotherRelease(identity, model, index)
  if (release !== undefined) {
    const when = model.released ?? dateOf(identity.date)
    const later = when === undefined ? 0 : clamp(yearsApart(when, release.known.released), -2, 2)
    return like(
      release,
      'another release',
      table.siblings.perYear * later,
      otherReleaseVariance * (1 + 4 * Math.abs(later)),
    )
  }
  const offered = unsized(identity, model, index)
  if (offered !== undefined) return like(offered, 'another release', 0, otherReleaseVariance)
  const thinks = identity.words.includes('thinking')
  const name = thinks ? identity.name.replace('-thinking', '') : thinking(identity)
  const other = exact({ ...identity, name }, index)
  if (other !== undefined) {
    return like(other, 'another release', thinks ? table.effort.thinking : -table.effort.thinking, thinkingVariance)
  }
  const base = identity.base === undefined ? undefined : exact(identify(identity.base), index)
  return base === undefined ? undefined : like(base, 'the model it was tuned from', -tunedLoss, tunedVariance)
}

function like({ key, known }: Listed, basis: PublicAbility['basis'], shift: number, variance: number): PublicAbility {
  return {
    ability: known.ability + shift,
    sd: Math.sqrt(known.sd ** 2 + variance),
    kinds: known.kinds ?? {},
    basis,
    like: key,
  }
}

function exact({ name, date, latest }: ModelIdentity, { byName }: Index): Listed | undefined {
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
function bySize(identity: ModelIdentity, { name }: Described, { byFamily }: Index): Listed | undefined {
  const { sizeB } = identity
  if (sizeB === undefined || identity.family === undefined || identify(name).sizeB !== undefined) return undefined
  return (byFamily.get(identity.family) ?? [])
    .filter(
      each => alike(each.identity, identity) && sizeOf(each) !== undefined && apart(sizeOf(each)!, sizeB) < sameSize,
    )
    .sort((a, b) => apart(sizeOf(a)!, sizeB) - apart(sizeOf(b)!, sizeB) || b.known.results - a.known.results)[0]
}

/** The release nearest to what the server tells. */
function anotherRelease(
  { name, date, latest }: ModelIdentity,
  { released }: Described,
  { byName }: Index,
): Listed | undefined {
  const releases = byName.get(name)
  if (releases === undefined || latest) return undefined
  const when = released ?? dateOf(date)
  const dated = releases.filter(each => each.known.released !== undefined)
  if (when === undefined || dated.length === 0) return newest(releases)
  const distance = ({ known }: Listed) => Math.abs(yearsApart(when, known.released))
  return dated.sort((a, b) => distance(a) - distance(b))[0]
}

/** A remote offer without a size is the largest of its kind; a version that is not told is the newest. */
function unsized(identity: ModelIdentity, { released }: Described, { byFamily }: Index): Listed | undefined {
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

function guess(identity: Identity, model: Described, table: AbilityTable, index: Index): PublicAbility {
  const sibling = bySibling(identity, model, table, index)
  if (sibling === undefined) return byAttributes(identity, model, table)
  // What a family is known by says more than a price, and an offer for nothing is no other model.
  const unpriced = identity.nameless ? model : { ...model, price: undefined }
  const assumed = model.released === undefined && dateOf(identity.date) === undefined
  const released = assumed ? table.models[sibling.like!]?.released : model.released
  const attributes = byAttributes(identity, { ...unpriced, released }, table)
  const distant = attributes.sd ** 2 + (assumed ? table.siblings.perYear ** 2 : 0)
  const [near, far] = [1 / sibling.sd ** 2, 1 / distant]
  const ability = (sibling.ability * near + attributes.ability * far) / (near + far)
  return {
    ...sibling,
    ability: Math.min(ability, mostBySuccessors(identity, model, index)),
    sd: 1 / Math.sqrt(near + far),
  }
}

function byAttributes(identity: Identity, model: Described, { guesses }: AbilityTable): PublicAbility {
  const when = model.released ?? dateOf(identity.date)
  const values = {
    size: identity.sizeB === undefined ? undefined : Math.log2(clamp(identity.sizeB, 0.1, 2000) / 8),
    date: when === undefined ? undefined : clamp(years(when), -2, 5),
    price: model.price === undefined || model.free ? undefined : Math.log2(clamp(model.price.output, 0.05, 20)),
  }
  const known = (['size', 'date', 'price'] as const).filter(name => values[name] !== undefined)
  const { intercept, size, date, price, sd } = guesses[known.join('+')]!
  const byPrice = clamp(price * ((values.price ?? usualPrice) - usualPrice), -mostOfPrice, mostOfPrice)
  return {
    ability: intercept + size * (values.size ?? 0) + date * (values.date ?? 0) + price * usualPrice + byPrice,
    sd,
    kinds: {},
    basis: known[0] ?? 'nothing',
  }
}

/** The member of the family that is nearest in version, size, release and place in the line. */
function bySibling(
  identity: Identity,
  model: Described,
  { siblings }: AbilityTable,
  { byFamily }: Index,
): PublicAbility | undefined {
  const when = model.released ?? dateOf(identity.date)
  const { perDoubling, perYear, variance } = siblings
  const { nameless } = identity
  const near = (byFamily.get(identity.family ?? '') ?? []).map(each => {
    const own = sizeOf(each)
    const size = own === undefined || identity.sizeB === undefined ? 0 : Math.log2(identity.sizeB / own)
    const unknownSize = (own === undefined) !== (identity.sizeB === undefined) ? 1 : 0
    const same =
      identity.version !== undefined &&
      each.identity.stem === identity.stem &&
      each.identity.version === identity.version
    const date = same ? 0 : yearsBetween(identity, when, each)
    const words = nameless ? namelessWords : wordsApart(identity, each.identity) + unknownSize
    const price = nameless ? pricesApart(model, each.known) : 0
    // The release of one of them is not known, and families live for years.
    const undated = !same && (when === undefined || each.known.released === undefined)
    const spread =
      each.known.sd ** 2 +
      (undated ? (perYear * (isNewer(identity, each) ? 0.5 : 1)) ** 2 : 0) +
      variance.any +
      variance.perDoubling * Math.abs(size) +
      variance.perYear * Math.abs(date) +
      variance.perWord * words
    const older = Math.abs(versionNumber(identity.version) - versionNumber(each.identity.version))
    const distance =
      spread +
      0.05 * Math.abs(size) +
      0.1 * Math.abs(date) +
      (same || identity.version === undefined ? 0 : otherVersion + 0.1 * older) +
      unlikePrice * price +
      (nameless ? unknownSize : 0)
    return { each, distance, spread, ability: each.known.ability + perDoubling * size + perYear * date }
  })
  const nearest = near.sort((a, b) => a.distance - b.distance || b.ability - a.ability)[0]
  if (nearest === undefined) return undefined
  const { each, ability, spread } = nearest
  return { ability, sd: Math.sqrt(spread), kinds: each.known.kinds ?? {}, basis: 'a sibling', like: each.key }
}

function isNewer({ version }: Identity, { identity }: Listed): boolean {
  return compareVersions(version, identity.version) > 0
}

/** Where no release is told, versions tell who is older, but not by how much; a newer one is at least as good. */
function yearsBetween(identity: ModelIdentity, when: string | undefined, { known, identity: other }: Listed): number {
  if (when !== undefined && known.released !== undefined) return clamp(yearsApart(when, known.released), -3, 3)
  const order = compareVersions(identity.version, other.version)
  return order < 0 ? -1 : 0
}

/** A guess about a model is never above a newer sibling in the same place of the line that costs no more. */
function mostBySuccessors(identity: Identity, model: Described, { byFamily }: Index): number {
  const { price, free } = model
  const when = model.released ?? dateOf(identity.date)
  if (price === undefined || free) return Infinity
  const { nameless } = identity
  const successors = (byFamily.get(identity.family ?? '') ?? []).filter(
    each =>
      each.known.price !== undefined &&
      each.known.price <= price.output &&
      (nameless || sameWords(each.identity, identity)) &&
      (when !== undefined && each.known.released !== undefined
        ? yearsApart(each.known.released, when) > (nameless ? generationYears : 0)
        : compareVersions(each.identity.version, identity.version) > 0),
  )
  return Math.min(Infinity, ...successors.map(({ known }) => known.ability))
}

/** Years from one release to another; none where the other is not known. */
function yearsApart(when: string, other: string | undefined): number {
  return other === undefined ? 0 : years(when) - years(other)
}

function pricesApart({ price, free }: Described, { price: other }: KnownModel): number {
  return price === undefined || free || other === undefined
    ? 0
    : Math.abs(Math.log2(Math.max(0.01, price.output) / other))
}

function versionNumber(version: string | undefined): number {
  return Number(/\d+(?:\.\d+)?/.exec(version ?? '')?.[0] ?? 0)
}

function alike(one: ModelIdentity, other: ModelIdentity): boolean {
  return (
    one.stem === other.stem &&
    one.version === other.version &&
    sameWords(one, other) &&
    (other.date === undefined || one.date === other.date)
  )
}

function sameWords(one: ModelIdentity, other: ModelIdentity): boolean {
  return one.words.length === other.words.length && one.words.every(word => other.words.includes(word))
}

function wordsApart(one: ModelIdentity, other: ModelIdentity): number {
  const missing = one.words.filter(word => !other.words.includes(word)).length
  const extra = other.words.filter(word => !one.words.includes(word)).length
  return missing + extra + (one.stem === other.stem ? 0 : 1)
}

function thinking({ name, sizeB }: ModelIdentity): string {
  const size = /-[\dx.]+[bm]$/.exec(name)
  return sizeB === undefined || size === null ? `${name}-thinking` : `${name.slice(0, size.index)}-thinking${size[0]}`
}

function sizeOf({ known, identity }: Listed): number | undefined {
  return identity.sizeB ?? known.sizeB
}

function apart(one: number, other: number): number {
  return Math.abs(Math.log(one / other))
}

function newest(members: readonly Listed[]): Listed | undefined {
  return [...members].sort(
    (a, b) =>
      compareVersions(b.identity.version, a.identity.version) ||
      years(b.known.released ?? '2023') - years(a.known.released ?? '2023'),
  )[0]
}

/** Numbers in a version in order: `4.5` before `4.10`, `k2` before `k2.5`. */
function compareVersions(one: string | undefined, other: string | undefined): number {
  const numbers = (version: string | undefined) => (version?.match(/\d+/g) ?? []).map(Number)
  const [left, right] = [numbers(one), numbers(other)]
  if (left.length === 0 || right.length === 0) return 0
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** A release that tells the year: `20241022`, `2507`. */
function dateOf(date: string | undefined): string | undefined {
  if (date?.length === 8) return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
  return date !== undefined && /^2[3-9]\d\d$/.test(date) ? `20${date.slice(0, 2)}-${date.slice(2)}` : undefined
}

/** Years from the start of 2024. */
function years(released: string): number {
  const [year = 2024, month = 1, day = 1] = released.split('-').map(Number)
  return year - 2024 + (month - 1) / 12 + (day - 1) / 365
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}
