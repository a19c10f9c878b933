import { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'

export type Priority = 'cost' | 'quality' | 'speed'

/** A named way to leave the choice to the router: what a caller writes as `model` instead of a model's id. */
export interface Preset {
  priority: Priority
  localOnly: boolean
  freeOnly: boolean
}

const anything = { localOnly: false, freeOnly: false } as const

export const presets: Readonly<Record<string, Preset>> = {
  auto: { priority: 'cost', ...anything },
  'auto:cost': { priority: 'cost', ...anything },
  'auto:quality': { priority: 'quality', ...anything },
  'auto:speed': { priority: 'speed', ...anything },
  local: { priority: 'cost', localOnly: true, freeOnly: false },
  free: { priority: 'cost', localOnly: false, freeOnly: true },
}

/** One entry of the caller's list: either models he named, which is law, or a preset over all of them. */
export interface Group {
  asked: string
  models: readonly Model[]
  /** Absent when the caller named the model. */
  preset?: Preset
}

/**
 * Reads the names a caller wrote, in his order, as groups of candidates. Throws `model_not_found` with near names, or
 * `invalid_request` when a bare name is served in several places that do not cost the same.
 */
export function select(asked: readonly string[], models: readonly Model[]): Group[] {
  return asked.map(name => {
    const preset = presets[name]
    return preset === undefined ? { asked: name, models: named(name, models) } : { asked: name, models, preset }
  })
}

function named(name: string, models: readonly Model[]): readonly Model[] {
  const exact = models.filter(model => model.id === name)
  if (exact.length > 0) return exact
  const bare = models.filter(model => model.name === name)
  if (bare.length <= 1 || bare.every(model => model.tier === 'local')) {
    if (bare.length > 0) return bare
    throw new GatewayError('model_not_found', notFound(name, models), { param: 'model' })
  }
  const ids = bare.map(model => model.id).join(', ')
  throw new GatewayError('invalid_request', `'${name}' is served in several places; write one of: ${ids}.`, {
    param: 'model',
  })
}

function notFound(name: string, models: readonly Model[]): string {
  const near = nearest(
    name,
    models.map(model => model.id),
  )
  const hint = near.length > 0 ? ` Near names: ${near.join(', ')}.` : ''
  return `There is no model '${name}'.${hint} GET /v1/models lists all; 'auto' lets Signalbox choose.`
}

/** Up to five of `ids` that look most like `name`, by shared letter triples (Dice coefficient). */
function nearest(name: string, ids: readonly string[]): string[] {
  const wanted = triples(name)
  const scored = ids.map(id => ({ id, score: Math.max(dice(wanted, triples(id)), dice(wanted, triples(tailOf(id)))) }))
  return scored
    .filter(({ score }) => score >= 0.3)
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, 5)
    .map(entry => entry.id)
}

function tailOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

function triples(text: string): Set<string> {
  const padded = `  ${text.toLowerCase()} `
  return new Set(Array.from({ length: padded.length - 2 }, (_, at) => padded.slice(at, at + 3)))
}

function dice(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0
  for (const triple of a) if (b.has(triple)) shared++
  return (2 * shared) / (a.size + b.size)
}
