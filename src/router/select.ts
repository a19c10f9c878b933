import { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import { nearestNames } from '../spelling.ts'
import { builtInAliases, discoveryPrefix, targetOf, undatedMatches, type Alias } from './aliases.ts'

export type Priority = 'cost' | 'quality' | 'speed'

/** A named way to leave the choice to the router: what a caller writes as `model` instead of a model's id. */
export interface Preset {
  priority: Priority
  localOnly: boolean
  freeOnly: boolean
  /** Waits for whatever costs least; others pass over a model that would keep the caller waiting. */
  patient?: true
}

const anything = { localOnly: false, freeOnly: false } as const

export const presets: Readonly<Record<string, Preset>> = {
  auto: { priority: 'cost', ...anything },
  'auto:cost': { priority: 'cost', ...anything, patient: true },
  'auto:quality': { priority: 'quality', ...anything },
  'auto:speed': { priority: 'speed', ...anything },
  local: { priority: 'cost', localOnly: true, freeOnly: false },
  free: { priority: 'cost', localOnly: false, freeOnly: true },
}

/** One entry of the caller's list: either models they named, which is law, or a preset over all of them. */
export interface Group {
  asked: string
  models: readonly Model[]
  /** Absent when the caller named the model. */
  preset?: Preset
  /** What the name was taken for, where it is neither a model's nor a preset's. */
  resolvedTo?: string
}

/**
 * Reads the names a caller wrote, in their order, as groups of candidates. A model that is called so goes before every alias.
 * Throws `model_not_found` with near names, or `invalid_request` when a bare name is served in several places that do not
 * cost the same.
 */
export function select(asked: readonly string[], models: readonly Model[], aliases: readonly Alias[]): Group[] {
  return asked.map(name => {
    const bare = name.startsWith(discoveryPrefix) ? name.slice(discoveryPrefix.length) : name
    const group = called(bare, models) ?? aliased(bare, models, aliases) ?? untagged(bare, models)
    if (group === undefined) throw notFound(name, models)
    return { ...group, asked: name }
  })
}

/** The preset or the models of that very name. */
function called(name: string, models: readonly Model[]): Group | undefined {
  // A name may be any word, `constructor` too.
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined
  if (preset !== undefined) return { asked: name, models, preset }
  const found = named(name, models)
  return found.length === 0 ? undefined : { asked: name, models: found }
}

function aliased(name: string, models: readonly Model[], aliases: readonly Alias[]): Group | undefined {
  const target = targetOf(name, aliases)
  if (target !== undefined) {
    const group = called(target, models)
    if (group !== undefined) return { ...group, resolvedTo: target }
    throw new GatewayError('model_not_found', `'${name}' is an alias of '${target}', which no server offers.`, {
      param: 'model',
    })
  }
  const meant = undatedMatches(name, models)
  if (meant.length > 0) return { asked: name, models: meant, resolvedTo: meant.map(({ id }) => id).join(' or ') }
  const builtIn = targetOf(name, builtInAliases)
  const group = builtIn === undefined ? undefined : called(builtIn, models)
  return group === undefined ? undefined : { ...group, resolvedTo: builtIn! }
}

/** Clients of Ollama add its default tag to names without one. */
function untagged(name: string, models: readonly Model[]): Group | undefined {
  const bare = name.endsWith(defaultTag) ? name.slice(0, -defaultTag.length) : name
  const group = bare === name ? undefined : called(bare, models)
  return group === undefined ? undefined : { ...group, resolvedTo: bare }
}

const defaultTag = ':latest'

function named(name: string, models: readonly Model[]): readonly Model[] {
  const exact = models.filter(model => model.id === name)
  if (exact.length > 0) return exact
  const bare = models.filter(model => model.name === name)
  if (bare.length <= 1 || bare.every(model => model.tier === 'local')) return bare
  const ids = bare.map(model => model.id).join(', ')
  throw new GatewayError('invalid_request', `'${name}' is served in several places; write one of: ${ids}.`, {
    param: 'model',
  })
}

/** Names that are shown to a caller who wrote none that exists. */
const maxNear = 5

function notFound(name: string, models: readonly Model[]): GatewayError {
  const ids = models.map(model => model.id)
  const near = nearestNames(name, ids, maxNear)
  const hint = near.length > 0 ? ` Near names: ${near.join(', ')}.` : ''
  return new GatewayError(
    'model_not_found',
    `There is no model '${name}'.${hint} GET /v1/models lists all; 'auto' lets Signalbox choose. To give the name a meaning: MODEL_ALIASES=${name}=auto`,
    { param: 'model' },
  )
}
