import type { Price, PriceOrigin } from '../accounting/pricing.ts'
import type { FailureCode } from '../errors.ts'
import type { Tier } from '../providers/provider.ts'
import type { Usage } from '../wire/usage.ts'

/** How a request or an attempt ended; `cancelled` means that the caller disconnected. */
export const outcomes = ['ok', 'error', 'cancelled'] as const
export type RequestOutcome = (typeof outcomes)[number]

/** What a cost is known by: the provider's own report, tokens times a price of some source, or that the model runs here. */
export const costSources = ['reported', 'listed', 'configured', 'snapshot', 'local'] as const
export type CostSource = (typeof costSources)[number]

/** What the ledger stores of one settled request. Prompts and answers are not part of it. */
export interface RequestRecord {
  /** Unique; the `x-signalbox-request-id` of the answer. */
  id: string
  /** The caller's own id of the request. */
  callerRequestId?: string | undefined
  /** Milliseconds since the epoch. */
  createdAt: number
  /** The endpoint type, such as `chat`. */
  endpoint: string
  /** Name of the caller's API key; `anonymous` when none was needed. */
  keyId?: string | undefined
  /** The conversation it belongs to. */
  session?: string | undefined
  /** The caller's labels. */
  tags?: readonly string[] | undefined
  /** The task that it belongs to. */
  task?: string | undefined
  /** As the caller wrote it. */
  requestedModel: string
  /** Provider, model and tier that answered; undefined when none did. */
  provider?: string | undefined
  model?: string | undefined
  tier?: Tier | undefined
  /** The upstream's own name for the model that answered. */
  upstreamModel?: string | undefined
  outcome: RequestOutcome
  failureCode?: FailureCode | undefined
  /** HTTP status sent to the caller; 499 after a disconnect. */
  status: number
  stream: boolean
  /** All attempts together. */
  usage: Usage
  /** USD of all attempts together, energy and BYOK included; undefined where unknown, 0 where no model was called. */
  costUsd?: number | undefined
  energyUsd?: number | undefined
  byokCostUsd?: number | undefined
  /** What the tokens of the answer would have cost on another model. */
  reference?: { model: string; costUsd: number } | undefined
  /** From arrival to the first token sent to the caller. */
  ttftMs?: number | undefined
  durationMs: number
  /** Time in the queue. */
  queueMs?: number | undefined
  /** Time to decide. */
  routeMs?: number | undefined
  /** Why this model, in our own words: what an upstream said belongs in an attempt's message. */
  reason?: string | undefined
  attempts: readonly AttemptRecord[]
  /** Plain data, stored as JSON for explanation and replay; do not modify it after recording. */
  decision?: unknown
}

/** One call of one model, in call order. */
export interface AttemptRecord {
  provider: string
  model: string
  /** Milliseconds since the epoch. */
  startedAt: number
  outcome: RequestOutcome
  failureCode?: FailureCode | undefined
  /** What went wrong; credentials in it are redacted before it is stored. */
  message?: string | undefined
  /** HTTP status of the upstream, where it responded. */
  status?: number | undefined
  ttftMs?: number | undefined
  durationMs: number
  usage: Usage
  /** USD in total. */
  costUsd?: number | undefined
  /** The part of it for the electricity of a local model. */
  energyUsd?: number | undefined
  /** The part of it that the model's provider bills to the operator's own key (BYOK). */
  byokCostUsd?: number | undefined
  /** The provider's own id of the call. */
  generationId?: string | undefined
  /** Absent where the cost is unknown. */
  costSource?: CostSource | undefined
  /** The model's price at the time of the call. */
  price?: Price | undefined
  priceOrigin?: PriceOrigin | undefined
}
