import type { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'

/** A failed attempt. */
export interface AttemptFailure {
  model: Model
  error: GatewayError
}

/**
 * The next candidate of `remaining`, which is in order of preference. A provider that cannot serve at all is passed over while
 * there is another one, and the last attempts are reserved for providers not yet called. Undefined where none remains.
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
