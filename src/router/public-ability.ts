import { clamp } from './clamp.ts'
import type { AbilityTable, KnownModel } from './ability-table.ts'
import { guess, type PublicAbility } from './ability-guess.ts'
import {
  anotherRelease,
  bySize,
  described,
  exact,
  indexOf,
  unsized,
  type Described,
  type KnownModels,
  type Listed,
} from './known-models.ts'
import { identify, type ModelIdentity } from './model-identity.ts'
import { dateOf, yearsApart } from './model-releases.ts'

/** Further from the model that results are about than its own release. */
const otherReleaseVariance = 0.15 ** 2

const tunedVariance = 0.4 ** 2

/** Tuning by others rarely improves a model at what benchmarks ask. */
const tunedLoss = 0.1

const thinkingVariance = 0.2 ** 2

/** What published results say of models, by anything that a server tells of them. */
export interface PublicAbilities {
  publicAbilityOf: (model: Described) => PublicAbility
  /** The entry that results about exactly the model of this name are under. */
  entryOf: (name: string) => KnownModel | undefined
}

/** Reads a table for looking things up. What it returns is pure: the answer about a model never changes. */
export function createPublicAbilities(table: AbilityTable): PublicAbilities {
  const index = indexOf(table)
  return {
    publicAbilityOf(model) {
      const identity = described(model)
      const found = identity.nameless ? undefined : published(identity, model, table, index)
      const effort = identity.effort === undefined || identity.effort === 'medium' ? 0 : table.effort[identity.effort]
      const { ability, ...rest } = found ?? guess(identity, model, table, index)
      return { ability: ability + effort, ...rest }
    },
    entryOf: name => exact(identify(name), index)?.known,
  }
}

function published(
  identity: ModelIdentity,
  model: Described,
  table: AbilityTable,
  index: KnownModels,
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

function thinking({ name, sizeB }: ModelIdentity): string {
  const size = /-[\dx.]+[bm]$/.exec(name)
  return sizeB === undefined || size === null ? `${name}-thinking` : `${name.slice(0, size.index)}-thinking${size[0]}`
}
