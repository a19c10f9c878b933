import { clamp } from './clamp.ts'
import type { AbilityTable, KnownModel } from './ability-table.ts'
import { sameWords, sizeOf, type Described, type Identity, type KnownModels, type Listed } from './known-models.ts'
import type { ModelIdentity } from './model-identity.ts'
import { compareVersions, dateOf, versionNumber, years, yearsApart } from './model-releases.ts'

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

/** Price says the least: so much of a guess may hang on it, up or down from what a usual model costs. */
const maxPriceEffect = 0.4

/** Log2 of USD per million output tokens. */
const defaultPrice = 1

/** How much further a sibling of another version is. */
const otherVersion = 0.3

/** Parts of a name that the family alone does not determine. */
const namelessWords = 1.5

/** How much further a sibling is for each doubling between prices, where nothing else tells its place in the line. */
const unlikePrice = 0.15

/** What is so much newer is of the next generation, whatever its place in the line. */
const generationYears = 0.75

/** What is expected of a model without results of its own, by its siblings, size and release, and least by its price. */
export function guess(identity: Identity, model: Described, table: AbilityTable, index: KnownModels): PublicAbility {
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
    ability: Math.min(ability, maxBySuccessors(identity, model, index)),
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
  const byPrice = clamp(price * ((values.price ?? defaultPrice) - defaultPrice), -maxPriceEffect, maxPriceEffect)
  return {
    ability: intercept + size * (values.size ?? 0) + date * (values.date ?? 0) + price * defaultPrice + byPrice,
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
  { byFamily }: KnownModels,
): PublicAbility | undefined {
  const when = model.released ?? dateOf(identity.date)
  const since = when === undefined ? undefined : years(when)
  const version = versionNumber(identity.version)
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
    const date = same ? 0 : yearsBetween(identity, since, each)
    const words = nameless ? namelessWords : wordsApart(identity, each.identity) + unknownSize
    const price = nameless ? pricesApart(model, each.known) : 0
    // The release of one of them is not known, and families live for years.
    const undated = !same && (since === undefined || each.since === undefined)
    const spread =
      each.known.sd ** 2 +
      (undated ? (perYear * (isNewer(identity, each) ? 0.5 : 1)) ** 2 : 0) +
      variance.any +
      variance.perDoubling * Math.abs(size) +
      variance.perYear * Math.abs(date) +
      variance.perWord * words
    const older = Math.abs(version - versionNumber(each.identity.version))
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

/** Where no release date is known, versions say which model is older, but not by how much; a newer one is at least as good. */
function yearsBetween(identity: Identity, since: number | undefined, other: Listed): number {
  if (since !== undefined && other.since !== undefined) return clamp(since - other.since, -3, 3)
  return compareVersions(identity.version, other.identity.version) < 0 ? -1 : 0
}

/** A guess about a model is never above a newer sibling in the same place of the line that costs no more. */
function maxBySuccessors(identity: Identity, model: Described, { byFamily }: KnownModels): number {
  const { price, free } = model
  const when = model.released ?? dateOf(identity.date)
  if (price === undefined || free) return Infinity
  const { nameless } = identity
  const successors = (byFamily.get(identity.family ?? '') ?? []).filter(
    each =>
      each.known.price !== undefined &&
      each.known.price <= price.output &&
      compareVersions(each.identity.version, identity.version) >= 0 &&
      (nameless || sameWords(each.identity, identity)) &&
      (when !== undefined && each.known.released !== undefined
        ? yearsApart(each.known.released, when) > (nameless ? generationYears : 0)
        : compareVersions(each.identity.version, identity.version) > 0),
  )
  return Math.min(Infinity, ...successors.map(({ known }) => known.ability))
}

function wordsApart(one: ModelIdentity, other: ModelIdentity): number {
  const missing = one.words.filter(word => !other.words.includes(word)).length
  const extra = other.words.filter(word => !one.words.includes(word)).length
  return missing + extra + (one.stem === other.stem ? 0 : 1)
}

function pricesApart({ price, free }: Described, { price: other }: KnownModel): number {
  return price === undefined || free || other === undefined
    ? 0
    : Math.abs(Math.log2(Math.max(0.01, price.output) / other))
}
