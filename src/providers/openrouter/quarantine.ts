import type { FailureCode, GatewayError } from '../../errors.ts'
import type { Model } from '../provider.ts'

/** How long a free model that keeps failing is avoided, and a removed one is remembered. */
const absenceMs = 30 * 60_000
/** A rate limit does not count: it is temporary. */
const fatal: ReadonlySet<FailureCode> = new Set<FailureCode>(['invalid_request', 'upstream_rejected', 'upstream_error'])
const failuresAllowed = 2

/** What past failures say against the listed models. Free offers come and go without notice. */
export interface Quarantine {
  noteSuccess(model: Model): void
  noteFailure(model: Model, error: GatewayError): void
  /** The list without removed models, and with a reason to avoid those that keep failing. */
  apply(models: readonly Model[]): readonly Model[]
}

export function createQuarantine(now: () => number): Quarantine {
  const failures = new Map<string, number>()
  const avoided = new Map<string, { until: number; reason: string }>()
  const goneUntil = new Map<string, number>()

  return {
    noteSuccess({ name }) {
      failures.delete(name)
      avoided.delete(name)
    },
    noteFailure({ name, free }, error) {
      if (error.code === 'model_not_found') goneUntil.set(name, now() + absenceMs)
      if (!free || !fatal.has(error.code)) return
      const count = (failures.get(name) ?? 0) + 1
      failures.set(name, count)
      if (count < failuresAllowed) return
      failures.delete(name)
      avoided.set(name, { until: now() + absenceMs, reason: `it failed ${count} times: ${error.message}` })
    },
    apply(models) {
      const time = now()
      for (const [name, until] of goneUntil) if (until <= time) goneUntil.delete(name)
      for (const [name, { until }] of avoided) if (until <= time) avoided.delete(name)
      if (goneUntil.size === 0 && avoided.size === 0) return models
      return models
        .filter(({ name }) => !goneUntil.has(name))
        .map(model => {
          const reason = avoided.get(model.name)?.reason
          return reason === undefined ? model : { ...model, avoid: reason }
        })
    },
  }
}
