import type { Model } from '../providers/provider.ts'
import { presets, type Preset } from '../router/select.ts'

/** A name that may be requested: a model, or a preset and the models that it may choose. */
export interface ModelEntry {
  id: string
  models: readonly Model[]
  /** Absent for a preset. */
  model?: Model
}

/** Every name that may be requested, in the order in which clients list them. */
export function modelEntries(models: readonly Model[]): ModelEntry[] {
  return [
    ...Object.entries(presets).map(([id, preset]) => ({
      id,
      models: models.filter(model => mayChoose(preset, model)),
    })),
    ...models.map(model => ({ id: model.id, models: [model], model })),
  ]
}

/** The entry of a model under its id or the name that its server gives it, or of a preset. */
export function entryOf(name: string, models: readonly Model[]): ModelEntry | undefined {
  const entries = modelEntries(models)
  return entries.find(({ id }) => id === name) ?? entries.find(({ model }) => model?.name === name)
}

/** What clients plan with; undefined where no server tells. A longer prompt goes to the model with the largest context. */
export interface EntryLimits {
  contextTokens: number | undefined
  outputTokens: number | undefined
}

export function limitsOf(models: readonly Model[]): EntryLimits {
  const contextTokens = largest(models.map(model => model.contextTokens))
  return { contextTokens, outputTokens: largest(models.map(model => model.maxOutputTokens)) ?? contextTokens }
}

function mayChoose({ localOnly, freeOnly }: Preset, { tier, free, capabilities }: Model): boolean {
  return (!localOnly || tier === 'local') && (!freeOnly || free) && capabilities.chat !== false
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter(value => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}
