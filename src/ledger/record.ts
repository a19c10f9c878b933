import type { FailureCode } from '../errors.ts'
import type { Tier } from '../providers/provider.ts'
import type { Usage } from '../wire/usage.ts'

/** How a request or an attempt ended; `cancelled` means that the caller hung up. */
export const outcomes = ['ok', 'error', 'cancelled'] as const
export type RequestOutcome = (typeof outcomes)[number]

/** What the books keep of one request once it is settled. Prompts and answers are not part of it. */
export interface RequestRecord {
  /** Unique; the `x-signalbox-request-id` of the answer. */
  id: string
  /** Milliseconds since the epoch. */
  createdAt: number
  /** Which of our endpoints was asked, such as `chat`. */
  endpoint: string
  /** Who asked; `anonymous` when no key was needed. */
  keyId?: string | undefined
  /** The conversation it belongs to. */
  session?: string | undefined
  /** As the caller wrote it. */
  requestedModel: string
  /** Provider, model and tier that gave the answer; undefined when none did. */
  provider?: string | undefined
  model?: string | undefined
  tier?: Tier | undefined
  /** What the upstream calls the model that answered. */
  upstreamModel?: string | undefined
  outcome: RequestOutcome
  failureCode?: FailureCode | undefined
  /** HTTP status sent to the caller; 499 when it was no longer there. */
  status: number
  stream: boolean
  /** All attempts together. */
  usage: Usage
  /** USD of all attempts together; undefined where it is not known, 0 where nothing was called. */
  costUsd?: number | undefined
  /** From arrival to the first token sent to the caller. */
  ttftMs?: number | undefined
  durationMs: number
  /** Waiting for a slot. */
  queueMs?: number | undefined
  /** Deciding. */
  routeMs?: number | undefined
  /** Why this model, in a few words of our own: what an upstream said belongs in an attempt's message. */
  reason?: string | undefined
  attempts: readonly AttemptRecord[]
  /** Plain data, stored as JSON for explaining and replaying; do not change it after recording. */
  decision?: unknown
}

/** One call of one model, in the order in which they were made. */
export interface AttemptRecord {
  provider: string
  model: string
  /** Milliseconds since the epoch. */
  startedAt: number
  outcome: RequestOutcome
  failureCode?: FailureCode | undefined
  /** What went wrong; credentials in it are hidden before it is stored. */
  message?: string | undefined
  /** HTTP status of the upstream, where it answered. */
  status?: number | undefined
  ttftMs?: number | undefined
  durationMs: number
  usage: Usage
  costUsd?: number | undefined
}
