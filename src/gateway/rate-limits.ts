import { LRUCache } from 'lru-cache'
import type { RateLimits } from '../accounting/api-key.ts'
import { fullAllowance, msUntil, refilled, type RateAllowance } from '../accounting/rate-limit.ts'
import { GatewayError } from '../errors.ts'

/** Holds each caller to their limits per minute and at the same time. */
export interface RateLimiter {
  /**
   * Counts a request of `name` that is expected to take `tokens`. A refused one takes nothing; its caller still gets to know
   * what is left.
   */
  admit: (name: string, limits: RateLimits, tokens: number) => RateAdmission
}

export interface RateAdmission {
  /** `rate_limit_exceeded`; undefined if the request may go on. */
  refusal: GatewayError | undefined
  /** What is left after this request. */
  requests: RateSnapshot | undefined
  tokens: RateSnapshot | undefined
  /** Replaces the tokens that were expected by those that were used. */
  used: (tokens: number) => void
  /** The request is over. Tokens of which no use was told are given back. */
  ended: () => void
}

/** One rate at one moment. */
export interface RateSnapshot {
  limit: number
  remaining: number
  /** Milliseconds until nothing counts as used any more. */
  resetMs: number
}

interface CallerState {
  requests: RateAllowance | undefined
  tokens: RateAllowance | undefined
  running: number
}

/** Callers that are remembered; one that is forgotten begins afresh. */
const maxCallers = 20_000
/** When the end of another request can't be foreseen. */
const busySeconds = 1

/** `now` in milliseconds since the epoch. */
export function createRateLimiter(now: () => number): RateLimiter {
  const callers = new LRUCache<string, CallerState>({ max: maxCallers })

  function stateOf(name: string, limits: RateLimits): CallerState {
    let state = callers.get(name)
    if (state === undefined) callers.set(name, (state = { requests: undefined, tokens: undefined, running: 0 }))
    state.requests = current(state.requests, limits.requestsPerMinute, now())
    state.tokens = current(state.tokens, limits.tokensPerMinute, now())
    return state
  }

  return {
    admit(name, limits, tokens) {
      const state = stateOf(name, limits)
      const refusal = refusalOf(name, limits, state, tokens)
      if (refusal !== undefined) return { refusal, ...snapshots(state, limits), used: ignore, ended: ignore }
      let counted = tokens
      let told = false
      const take = (more: number) => {
        counted += more
        if (state.tokens !== undefined) state.tokens.left -= more
      }
      if (state.requests !== undefined) state.requests.left -= 1
      if (state.tokens !== undefined) state.tokens.left -= tokens
      state.running += 1
      let running = true
      return {
        refusal: undefined,
        ...snapshots(state, limits),
        used(consumed) {
          told = true
          take(consumed - counted)
        },
        ended() {
          if (!running) return
          running = false
          state.running -= 1
          if (!told) take(-counted)
        },
      }
    },
  }
}

function current(
  allowance: RateAllowance | undefined,
  perMinute: number | null,
  now: number,
): RateAllowance | undefined {
  if (perMinute === null) return undefined
  return allowance === undefined ? fullAllowance(perMinute, now) : refilled(allowance, perMinute, now)
}

function refusalOf(
  name: string,
  { requestsPerMinute, tokensPerMinute, concurrentRequests }: RateLimits,
  { requests, tokens, running }: CallerState,
  wanted: number,
): GatewayError | undefined {
  const refuse = (what: string, seconds: number) =>
    new GatewayError('rate_limit_exceeded', `The API key '${name}' ${what}. Try again in ${seconds} s.`, {
      retryAfterSeconds: seconds,
    })
  if (concurrentRequests !== null && running >= concurrentRequests) {
    return refuse(`may have ${concurrentRequests} requests in progress at a time`, busySeconds)
  }
  if (requests !== undefined && requests.left < 1) {
    const waitMs = msUntil(requests, 1, requestsPerMinute!)
    return refuse(`may send ${requestsPerMinute} requests per minute`, Math.ceil(waitMs / 1000))
  }
  // A request beyond a whole minute's tokens passes when a minute's are there: it would otherwise never.
  const needed = Math.min(wanted, tokensPerMinute ?? 0)
  if (tokens !== undefined && tokens.left < needed) {
    const waitMs = msUntil(tokens, needed, tokensPerMinute!)
    return refuse(`may use ${tokensPerMinute} tokens per minute`, Math.ceil(waitMs / 1000))
  }
  return undefined
}

function snapshots(
  { requests, tokens }: CallerState,
  { requestsPerMinute, tokensPerMinute }: RateLimits,
): Pick<RateAdmission, 'requests' | 'tokens'> {
  return { requests: snapshot(requests, requestsPerMinute), tokens: snapshot(tokens, tokensPerMinute) }
}

function snapshot(allowance: RateAllowance | undefined, limit: number | null): RateSnapshot | undefined {
  if (allowance === undefined || limit === null) return undefined
  const remaining = Math.max(0, Math.floor(allowance.left))
  return { limit, remaining, resetMs: msUntil(allowance, limit, limit) }
}

function ignore(): void {}
