import { Counter, Histogram, type Registry } from 'prom-client'
import type { AttemptRecord, RequestRecord } from '../ledger/record.ts'
import type { Usage } from '../wire/usage.ts'
import { boundedLabel } from './bounded-label.ts'

/** Models that get series of their own; the rest share those of `other`. */
const maxModels = 100
const maxProviders = 50
/** Of a fixed set each; the bound only guards against a mistake. */
const maxWords = 40

/** Seconds: a local model may take minutes, our own work fractions of a millisecond. */
const durations = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
const overheads = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5]
const tokensPerSecond = [1, 2, 5, 10, 20, 40, 80, 160, 320, 640]

/** Tokens by kind. A kind is part of no other one, so that their sum is what was read and written. */
const tokenKinds = {
  input: ({ inputTokens }: Usage) => inputTokens,
  cache_read: ({ cacheReadTokens }: Usage) => cacheReadTokens,
  cache_write: ({ cacheWriteTokens }: Usage) => cacheWriteTokens,
  output: ({ outputTokens, reasoningTokens }: Usage) => outputTokens - reasoningTokens,
  reasoning: ({ reasoningTokens }: Usage) => reasoningTokens,
} as const

/** Counts requests as they are recorded. Nothing a caller writes becomes a label. */
export function countRequests(registry: Registry): (request: RequestRecord) => void {
  const registers = [registry]
  const providerLabel = boundedLabel(maxProviders)
  const modelLabel = boundedLabel(maxModels)
  const word = boundedLabel(maxWords)

  const requests = new Counter({
    name: 'signalbox_requests_total',
    help: 'Requests that ended, by endpoint, tier of the model that answered, and outcome.',
    labelNames: ['endpoint', 'tier', 'outcome'],
    registers,
  })
  const failures = new Counter({
    name: 'signalbox_request_failures_total',
    help: 'Requests that failed, by the code of their error.',
    labelNames: ['code'],
    registers,
  })
  const decisions = new Counter({
    name: 'signalbox_decisions_total',
    help: 'Requests by the reason why their model was chosen.',
    labelNames: ['reason'],
    registers,
  })
  const attempts = new Counter({
    name: 'signalbox_attempts_total',
    help: 'Calls of models, by outcome; a request that falls back makes several.',
    labelNames: ['provider', 'model', 'outcome'],
    registers,
  })
  const tokens = new Counter({
    name: 'signalbox_tokens_total',
    help: 'Tokens read and written by models, by kind; no token counts twice.',
    labelNames: ['provider', 'model', 'kind'],
    registers,
  })
  const cost = new Counter({
    name: 'signalbox_cost_usd_total',
    help: 'Cost of calls in USD, electricity included, as first recorded; the ledger also has later corrections.',
    labelNames: ['provider', 'model'],
    registers,
  })
  const unpriced = new Counter({
    name: 'signalbox_attempts_without_price_total',
    help: 'Calls whose cost is unknown.',
    labelNames: ['provider'],
    registers,
  })
  const energy = new Counter({
    name: 'signalbox_energy_usd_total',
    help: 'The part of the cost that pays for electricity, in USD.',
    registers,
  })
  const duration = new Histogram({
    name: 'signalbox_request_duration_seconds',
    help: 'From the arrival of a request to the end of its answer.',
    labelNames: ['endpoint', 'tier'],
    buckets: durations,
    registers,
  })
  const firstToken = new Histogram({
    name: 'signalbox_first_token_seconds',
    help: 'From the slot to the first token of a streamed answer, or to a whole one.',
    labelNames: ['provider'],
    buckets: durations,
    registers,
  })
  const speed = new Histogram({
    name: 'signalbox_output_tokens_per_second',
    help: 'Output tokens a second after the first token.',
    labelNames: ['provider'],
    buckets: tokensPerSecond,
    registers,
  })
  const queued = new Histogram({
    name: 'signalbox_queue_seconds',
    help: 'Time in which a request waited for slots.',
    buckets: durations,
    registers,
  })
  const overhead = new Histogram({
    name: 'signalbox_overhead_seconds',
    help: 'What Signalbox itself added before the first token, in requests answered by the first model called.',
    buckets: overheads,
    registers,
  })

  function countAttempt(request: RequestRecord, attempt: AttemptRecord): void {
    const provider = providerLabel(attempt.provider)
    const model = modelLabel(attempt.model)
    attempts.inc({ provider, model, outcome: attempt.outcome })
    for (const [kind, read] of Object.entries(tokenKinds)) {
      const count = read(attempt.usage)
      if (count > 0) tokens.inc({ provider, model, kind }, count)
    }
    if (attempt.costUsd === undefined) unpriced.inc({ provider })
    else if (attempt.costUsd > 0) cost.inc({ provider, model }, attempt.costUsd)
    if (attempt.ttftMs === undefined) return
    firstToken.observe({ provider }, attempt.ttftMs / 1000)
    const rate = rateOf(request, attempt)
    if (rate !== undefined) speed.observe({ provider }, rate)
  }

  return request => {
    const endpoint = word(request.endpoint)
    const tier = request.tier ?? 'none'
    requests.inc({ endpoint, tier, outcome: request.outcome })
    if (request.failureCode !== undefined) failures.inc({ code: request.failureCode })
    decisions.inc({ reason: word(request.reason ?? 'none') })
    duration.observe({ endpoint, tier }, request.durationMs / 1000)
    if (request.queueMs !== undefined) queued.observe(request.queueMs / 1000)
    if ((request.energyUsd ?? 0) > 0) energy.inc(request.energyUsd)
    for (const attempt of request.attempts) countAttempt(request, attempt)
    const added = overheadMs(request)
    if (added !== undefined) overhead.observe(added / 1000)
  }
}

/** Undefined where nothing can be said: a whole answer has no time between its first and its last token. */
function rateOf({ stream, queueMs = 0 }: RequestRecord, attempt: AttemptRecord): number | undefined {
  const { ttftMs = 0, durationMs, usage, outcome } = attempt
  const writingMs = durationMs - queueMs - ttftMs
  if (!stream || outcome !== 'ok' || usage.outputTokens < 2 || writingMs <= 0) return undefined
  return ((usage.outputTokens - 1) * 1000) / writingMs
}

function overheadMs({ attempts, ttftMs, queueMs = 0 }: RequestRecord): number | undefined {
  const [attempt, ...more] = attempts
  if (attempt?.ttftMs === undefined || ttftMs === undefined || more.length > 0) return undefined
  return Math.max(0, ttftMs - queueMs - attempt.ttftMs)
}
