import type { ModelAccess } from '../accounting/api-key.ts'
import type { Model } from '../providers/provider.ts'
import { fits } from './aliases.ts'

/** Whether a caller with this access may use `model`; patterns may name it with or without its provider. */
export function mayUse({ models, providers }: ModelAccess, { id, name, provider }: Model): boolean {
  if (providers !== null && !providers.includes(provider)) return false
  return models === null || models.some(pattern => fits(pattern, id) || fits(pattern, name))
}
