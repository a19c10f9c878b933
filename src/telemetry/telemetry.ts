import type { Core } from '../core.ts'
import type { Metrics } from './metrics.ts'
import { startWebhooks } from './webhooks.ts'

/** Everything that tells other programs how Signalbox is doing. */
export interface Telemetry {
  /** Absent where METRICS_ENABLED is false. */
  readonly metrics: Metrics | undefined
  close: () => Promise<void>
}

/** Starts what the settings ask for; what they do not ask for is not even loaded. `random`: a number in [0, 1). */
export async function startTelemetry(core: Core, random: () => number): Promise<Telemetry> {
  const { METRICS_ENABLED, WEBHOOK_URL, WEBHOOK_SECRET } = core.config().values
  const metrics = METRICS_ENABLED ? (await import('./metrics.ts')).createMetrics(core) : undefined
  const webhooks =
    WEBHOOK_URL === undefined
      ? undefined
      : startWebhooks({ ...core, url: WEBHOOK_URL, secret: WEBHOOK_SECRET ?? '', random })
  return {
    metrics,
    async close() {
      metrics?.close()
      await webhooks?.close()
    },
  }
}
