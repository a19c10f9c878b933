/**
 * How far an error reaches: this request only, the model at its endpoint, all free models of the endpoint, everything the
 * endpoint serves, or everything it serves for our key.
 */
export type FailureScope = 'request' | 'model' | 'free models' | 'provider' | 'key'

/** An error code: its HTTP status, OpenAI error type, and what the gateway does next. */
export interface Failure {
  /** HTTP status sent to the caller. */
  status: number
  /** `error.type` in OpenAI's envelope. */
  type: string
  /** Whether another candidate might succeed. */
  fallback: boolean
  /** Whether to retry the same candidate once at once. */
  retry: boolean
  /** Whether the error counts against what `scope` names and towards opening its circuit breaker. */
  breaker: boolean
  scope: FailureScope
}

const row = (
  status: number,
  type: string,
  does: Partial<Pick<Failure, 'fallback' | 'retry' | 'breaker' | 'scope'>> = {},
): Failure => ({
  status,
  type,
  fallback: does.fallback ?? false,
  retry: does.retry ?? false,
  breaker: does.breaker ?? false,
  scope: does.scope ?? 'request',
})

/** Every error code. Gateway and protocols read this table; no catch block decides for itself. */
export const failures = {
  invalid_request: row(400, 'invalid_request_error'),
  invalid_json: row(400, 'invalid_request_error'),
  context_length_exceeded: row(400, 'invalid_request_error', { fallback: true }),
  unsupported: row(400, 'invalid_request_error', { fallback: true }),
  unauthorized: row(401, 'authentication_error'),
  forbidden: row(403, 'permission_error'),
  not_found: row(404, 'invalid_request_error'),
  previous_response_not_found: row(400, 'invalid_request_error'),
  model_not_found: row(404, 'invalid_request_error', { fallback: true, scope: 'model' }),
  method_not_allowed: row(405, 'invalid_request_error'),
  conflict: row(409, 'invalid_request_error'),
  request_timeout: row(408, 'invalid_request_error'),
  request_too_large: row(413, 'invalid_request_error'),
  websocket_refused: row(426, 'invalid_request_error'),
  unsupported_media_type: row(415, 'invalid_request_error'),
  expectation_failed: row(417, 'invalid_request_error'),
  storage_full: row(413, 'invalid_request_error'),
  idempotency_key_reused: row(422, 'invalid_request_error'),
  memory_full: row(429, 'rate_limit_error'),
  /** The caller's own limit of requests or tokens. */
  rate_limit_exceeded: row(429, 'rate_limit_error'),
  /** A hard budget has too little left for the call. */
  budget_exceeded: row(402, 'insufficient_quota', { fallback: true }),
  /** It will have enough if the calls in progress cost less than they may. */
  budget_reserved: row(429, 'rate_limit_error', { fallback: true }),
  headers_too_large: row(431, 'invalid_request_error'),
  client_closed: row(499, 'client_closed'),
  internal: row(500, 'server_error'),
  not_offered: row(501, 'invalid_request_error'),
  upstream_rejected: row(400, 'invalid_request_error', { fallback: true }),
  upstream_unauthorized: row(502, 'upstream_error', { fallback: true, breaker: true, scope: 'key' }),
  /** The variable that holds the caller's own key at the provider is not set. */
  upstream_key_missing: row(502, 'upstream_error', { fallback: true }),
  upstream_payment_required: row(402, 'insufficient_quota', { fallback: true, breaker: true, scope: 'key' }),
  /** The account has money left, but not enough for this call. */
  upstream_unaffordable: row(402, 'insufficient_quota', { fallback: true }),
  upstream_rate_limited: row(429, 'rate_limit_error', { fallback: true, scope: 'model' }),
  upstream_free_limited: row(429, 'rate_limit_error', { fallback: true, scope: 'free models' }),
  upstream_account_limited: row(429, 'rate_limit_error', { fallback: true, scope: 'key' }),
  upstream_error: row(502, 'upstream_error', { fallback: true, breaker: true, scope: 'model' }),
  upstream_timeout: row(504, 'upstream_error', { fallback: true, breaker: true, scope: 'model' }),
  /** The model is loading, or no host of it can serve it now. */
  upstream_not_ready: row(503, 'overloaded_error', { fallback: true, breaker: true, scope: 'model' }),
  upstream_busy: row(503, 'overloaded_error', { fallback: true, breaker: true, scope: 'provider' }),
  upstream_disconnected: row(502, 'upstream_error', { fallback: true, retry: true, breaker: true, scope: 'provider' }),
  upstream_unavailable: row(502, 'upstream_error', { fallback: true, breaker: true, scope: 'provider' }),
  answer_rejected: row(502, 'upstream_error', { fallback: true }),
  queue_full: row(503, 'overloaded_error', { fallback: true }),
  queue_timeout: row(503, 'overloaded_error', { fallback: true }),
  no_backend: row(503, 'server_error'),
  ledger_unavailable: row(503, 'server_error'),
  shutting_down: row(503, 'server_error'),
} as const satisfies Record<string, Failure>

export type FailureCode = keyof typeof failures

/** In tokens: the size of a prompt that is too long, and the most it may take beside the room kept for its answer. */
export interface PromptOverflow {
  promptTokens: number
  maxPromptTokens: number
}

/** Structured details in addition to the message. */
export interface FailureDetails {
  cause?: unknown
  /** Seconds until a retry makes sense; becomes `Retry-After`. */
  retryAfterSeconds?: number
  /** The invalid request field, for `error.param`. */
  param?: string
  /** Where the prompt is too long and both sizes are known; agents shorten their conversation by them. */
  overflow?: PromptOverflow | undefined
  /** What a client's program reads instead of the message: `error.details` of the Messages protocol. */
  details?: Readonly<Record<string, unknown>>
}

/** The only error that leaves a module. Its message says what happened and what to do, and never contains a secret. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: FailureCode
  readonly failure: Failure
  readonly retryAfterSeconds: number | undefined
  readonly param: string | undefined
  readonly overflow: PromptOverflow | undefined
  readonly details: FailureDetails['details']

  constructor(
    code: FailureCode,
    message: string,
    { cause, retryAfterSeconds, param, overflow, details }: FailureDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.failure = failures[code]
    this.retryAfterSeconds = retryAfterSeconds
    this.param = param
    this.overflow = overflow
    this.details = details
  }
}

/** Converts anything thrown while the answer of `who` was read: whatever the answer's shape, the upstream is at fault. */
export function asUpstreamError(thrown: unknown, who: string): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  return new GatewayError('upstream_error', `${who} returned an unreadable answer; try again or use another model.`, {
    cause: thrown,
  })
}

/** Converts anything thrown to a `GatewayError`; an unexpected error becomes `internal` without details for the caller. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  return new GatewayError('internal', 'Internal error; see the Signalbox log for the cause.', {
    cause: thrown,
  })
}
