import type { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'

/** An attempt that failed. */
export interface AttemptFailure {
  model: Model
  error: GatewayError
}

/**
 * Which of `remaining`, in their order of preference, is asked after these failures. A provider that cannot serve at all is left
 * while there is another, and the last attempts belong to providers that were not asked yet. Pure; undefined where none remains.
 */
export function nextCandidate(
  remaining: readonly Model[],
  failures: readonly AttemptFailure[],
  attemptsLeft: number,
): Model | undefined {
  const gone = new Set(failures.filter(({ error }) => isOutage(error)).map(({ model }) => model.provider))
  const asked = new Set(failures.map(({ model }) => model.provider))
  const elsewhere = remaining.filter(({ provider }) => !gone.has(provider))
  const unasked = elsewhere.filter(({ provider }) => !asked.has(provider))
  const unaskedProviders = new Set(unasked.map(({ provider }) => provider)).size
  if (failures.length > 0 && attemptsLeft <= unaskedProviders) return unasked[0]
  return elsewhere[0] ?? remaining[0]
}

function isOutage({ failure }: GatewayError): boolean {
  return failure.scope === 'provider' || failure.scope === 'key'
}
