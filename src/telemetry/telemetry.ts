import type { Logger } from 'pino'
import type { CoreValues } from '../config/core-settings.ts'
import { ConfigError } from '../config/setting.ts'
import type { Core } from '../core.ts'
import type { Metrics } from './metrics.ts'
import type { Traces } from './traces.ts'
import { startWebhooks } from './webhooks.ts'

/** Everything that tells other programs how Signalbox is doing. */
export interface Telemetry {
  /** Absent where METRICS_ENABLED is false. */
  readonly metrics: Metrics | undefined
  close: () => Promise<void>
}

/** Traces where the settings name a collector. Throws `ConfigError` where what sends them is not installed. */
export async function openTracesFor(values: CoreValues, version: string, log: Logger): Promise<Traces | undefined> {
  const url = collectorOf(values)
  if (url === undefined) return undefined
  const { openTraces } = await import('./traces.ts').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new ConfigError('OTEL_EXPORTER_OTLP_ENDPOINT: traces need optional packages; run npm install without --omit')
  })
  return openTraces({
    url,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS,
    serviceName: values.OTEL_SERVICE_NAME,
    version,
    share: values.OTEL_TRACES_SAMPLER_ARG,
    log,
  })
}

/** By the rules of OpenTelemetry: the general address gets the path of traces, the one for traces is complete. */
function collectorOf(values: CoreValues): string | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: general, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_SDK_DISABLED } = values
  if (OTEL_SDK_DISABLED) return undefined
  return own ?? (general === undefined ? undefined : `${general.replace(/\/$/, '')}/v1/traces`)
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
