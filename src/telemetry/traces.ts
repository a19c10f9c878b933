import {
  diag,
  DiagLogLevel,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import type { GatewayError } from '../errors.ts'
import type { StartTrace } from '../gateway/trace.ts'
import type { AttemptRecord, RequestRecord } from '../ledger/record.ts'
import type { Usage } from '../wire/usage.ts'
import { attributes as names, operationOf } from './span-names.ts'

export interface TraceParts {
  /** Where spans are sent: the address of a collector's OTLP receiver over HTTP, with its path. */
  url: string
  headers: Record<string, string>
  serviceName: string
  version: string
  /** Share of traces that is recorded, 0 to 1, of those that the caller has not decided about. */
  share: number
  log: Pick<Logger, 'warn'>
}

export interface Traces {
  /** One span for a request and one for each attempt. */
  startRequest: StartTrace
  /** One span for a call of an MCP tool; call the returned function at its end. */
  startTool: (tool: string, traceParent: string | undefined) => (error?: GatewayError) => void
  /** Sends what is left, for two seconds at most. */
  close: () => Promise<void>
}

const closingMs = 2_000

/** Records traces and sends them to a collector in batches; what it does not take in time is dropped. */
export function openTraces({ url, headers, serviceName, version, share, log }: TraceParts): Traces {
  // The library reports failed exports only to its own logger, which is one for the whole process.
  const told = (message: string) => log.warn({ reason: message }, 'Traces could not be sent.')
  diag.setLogger(
    { error: told, warn: told, info: () => undefined, debug: () => undefined, verbose: () => undefined },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url, headers }) })],
  })
  const tracer = provider.getTracer('signalbox', version)

  return {
    startRequest({ traceParent, requestId, endpoint, receivedAt }, model) {
      const operation = operationOf(endpoint)
      const common = { [names.operation]: operation, [names.requestedModel]: model }
      const span = tracer.startSpan(
        `${operation} ${model}`,
        {
          kind: SpanKind.SERVER,
          startTime: receivedAt,
          attributes: { ...common, [names.requestId]: requestId, [names.endpoint]: endpoint },
        },
        contextFrom(traceParent),
      )
      const context = trace.setSpan(ROOT_CONTEXT, span)
      return {
        attempt({ provider, name, tier }) {
          const attempt = tracer.startSpan(
            `${operation} ${name}`,
            {
              kind: SpanKind.CLIENT,
              attributes: { ...common, [names.requestedModel]: name, [names.provider]: provider, [names.tier]: tier },
            },
            context,
          )
          return {
            traceParent: traceParentOf(attempt),
            end(record) {
              attempt.setAttributes(attemptAttributes(record))
              finish(attempt, record.failureCode)
            },
          }
        },
        end(record) {
          span.setAttributes(requestAttributes(record))
          finish(span, record.failureCode)
        },
      }
    },
    startTool(tool, traceParent) {
      const span = tracer.startSpan(
        `tools/call ${tool}`,
        {
          kind: SpanKind.SERVER,
          attributes: { [names.mcpMethod]: 'tools/call', [names.tool]: tool, [names.operation]: 'execute_tool' },
        },
        contextFrom(traceParent),
      )
      return error => finish(span, error?.code)
    },
    async close() {
      await Promise.race([
        provider.shutdown().catch(() => undefined),
        new Promise(resolve => setTimeout(resolve, closingMs).unref()),
      ])
      diag.disable()
    },
  }
}

/** The span ends now. Messages of upstreams may quote a prompt, so that only the code says what failed. */
function finish(span: Span, failureCode: string | undefined): void {
  if (failureCode !== undefined) {
    span.setAttribute(names.errorType, failureCode)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}

const parentForm = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

/** The context of a `traceparent` header; that of a new trace for an absent or an invalid one. */
function contextFrom(traceParent: string | undefined): Context {
  const [, version, traceId = '', spanId = '', flags = '00'] = parentForm.exec(traceParent ?? '') ?? []
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
  if (version === undefined || version === 'ff' || !isSpanContextValid(parent)) return ROOT_CONTEXT
  return trace.setSpanContext(ROOT_CONTEXT, parent)
}

function traceParentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

function requestAttributes(record: RequestRecord): Attributes {
  return given({
    [names.model]: record.upstreamModel,
    [names.provider]: record.provider,
    [names.tier]: record.tier,
    [names.stream]: record.stream,
    [names.status]: record.status,
    [names.reason]: record.reason,
    [names.attempts]: record.attempts.length,
    [names.firstChunkSeconds]: seconds(record.ttftMs),
    [names.queueSeconds]: seconds(record.queueMs),
    [names.routeSeconds]: seconds(record.routeMs),
    [names.costUsd]: record.costUsd,
    ...usageAttributes(record.usage),
  })
}

function attemptAttributes(record: AttemptRecord): Attributes {
  return given({
    [names.status]: record.status,
    [names.responseId]: record.generationId,
    [names.firstChunkSeconds]: seconds(record.ttftMs),
    [names.costUsd]: record.costUsd,
    ...usageAttributes(record.usage),
  })
}

function usageAttributes(usage: Usage): Attributes {
  return {
    [names.inputTokens]: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    [names.cacheReadTokens]: usage.cacheReadTokens,
    [names.cacheWriteTokens]: usage.cacheWriteTokens,
    [names.outputTokens]: usage.outputTokens,
    [names.reasoningTokens]: usage.reasoningTokens,
  }
}

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)

function given(values: Readonly<Record<string, string | number | boolean | undefined>>): Attributes {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
