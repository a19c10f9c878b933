import { LRUCache } from 'lru-cache'
import type { FailureScope, GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import type { Condition } from '../router/filter.ts'

/** How many consecutive failures open a breaker, and for how long at first; each failed probe doubles the pause. */
interface OpeningRule {
  failuresToOpen: number
  firstPauseMs: number
}

/** A rejected key is certain at once; a lost connection may be a restart; a model may fail because of one request. */
const openingRules: Readonly<Record<Exclude<FailureScope, 'request'>, OpeningRule>> = {
  model: { failuresToOpen: 3, firstPauseMs: 15_000 },
  'free models': { failuresToOpen: 1, firstPauseMs: 30_000 },
  provider: { failuresToOpen: 2, firstPauseMs: 5_000 },
  key: { failuresToOpen: 1, firstPauseMs: 30_000 },
}
const longestPauseMs = 300_000
const defaultRateLimitMs = 15_000
const longestRateLimitMs = 3_600_000
const remembered = 5_000

interface Breaker {
  /** Consecutive failures. */
  failures: number
  /** Closed only by a success: until then, one request at a time passes, and only after `openUntil`. */
  open: boolean
  openUntil: number
  /** Half-open: exactly one request is testing whether it works again. */
  probing: boolean
  limitedUntil: number
  reason: string
}

/**
 * Circuit breakers: keep requests away from what just failed: one model of an endpoint, its free models, or the whole
 * endpoint.
 */
export interface Breakers {
  condition(model: Model): Condition
  /** The same for a whole endpoint. */
  conditionOfProvider(provider: string): Condition
  /** Claims the right to try; false while open, and while another request probes a half-open one. */
  tryEnter(model: Model): boolean
  succeeded(model: Model): void
  failed(model: Model, error: GatewayError): void
  /** The attempt ended without a result about the model, for instance because the client disconnected. */
  left(model: Model): void
  /** The settings of this provider changed, so earlier failures no longer apply. */
  forget(provider: string): void
}

/** `now` in milliseconds since the epoch. Holds at most 5,000 breakers; an evicted one counts as closed. */
export function createBreakers(now: () => number): Breakers {
  const breakers = new LRUCache<string, Breaker>({ max: remembered })
  const breakerOf = (key: string): Breaker => {
    let breaker = breakers.get(key)
    if (breaker === undefined) {
      breaker = { failures: 0, open: false, openUntil: 0, probing: false, limitedUntil: 0, reason: '' }
      breakers.set(key, breaker)
    }
    return breaker
  }
  const known = (model: Model) => keysOf(model).flatMap(key => breakers.get(key) ?? [])

  function conditionOf({ limitedUntil, open, openUntil, probing, reason }: Breaker): Condition {
    if (limitedUntil > now()) return { state: 'rate_limited', reason, until: limitedUntil }
    if (open && openUntil > now()) return { state: 'unavailable', reason, until: openUntil }
    if (probing) return { state: 'unavailable', reason: `${reason}; being tried again` }
    return { state: 'ready' }
  }

  function limit(breaker: Breaker, error: GatewayError): void {
    const waitMs = Math.min((error.retryAfterSeconds ?? defaultRateLimitMs / 1000) * 1000, longestRateLimitMs)
    breaker.limitedUntil = now() + waitMs
    breaker.reason = error.failure.scope === 'model' ? 'rate limited by its server' : error.message
  }

  function count(breaker: Breaker, rule: OpeningRule, error: GatewayError): void {
    // Requests in flight when it opened do not count again.
    if (breaker.open && breaker.openUntil > now()) return
    breaker.failures++
    const wait = error.retryAfterSeconds ?? 0
    if (breaker.failures < rule.failuresToOpen && wait === 0) return
    const doublings = Math.max(0, breaker.failures - rule.failuresToOpen)
    const pauseMs = Math.min(rule.firstPauseMs * 2 ** doublings, longestPauseMs)
    breaker.open = true
    breaker.openUntil = now() + Math.max(pauseMs, wait * 1000)
    breaker.reason =
      error.failure.scope === 'model' ? `failed ${breaker.failures} times in a row` : `out of service: ${error.message}`
  }

  return {
    condition: model =>
      known(model)
        .map(conditionOf)
        .find(({ state }) => state !== 'ready') ?? { state: 'ready' },
    conditionOfProvider(provider) {
      const breaker = breakers.get(provider)
      return breaker === undefined ? { state: 'ready' } : conditionOf(breaker)
    },
    tryEnter(model) {
      const mine = known(model)
      if (mine.some(breaker => conditionOf(breaker).state !== 'ready')) return false
      for (const breaker of mine) breaker.probing = breaker.open
      return true
    },
    succeeded(model) {
      for (const key of keysOf(model)) breakers.delete(key)
    },
    failed(model, error) {
      for (const breaker of known(model)) breaker.probing = false
      const { scope, breaker: counts, status } = error.failure
      if (scope === 'request') return
      const key = keyOf(model, scope)
      if (status === 429) limit(breakerOf(key), error)
      else if (counts) count(breakerOf(key), openingRules[scope], error)
    },
    left(model) {
      for (const breaker of known(model)) breaker.probing = false
    },
    forget(provider) {
      const keys = [...breakers.keys()].filter(
        key => key === provider || key === freeKey(provider) || key.startsWith(`${provider}/`),
      )
      for (const key of keys) breakers.delete(key)
    },
  }
}

/** Provider names contain neither spaces nor slashes, so keys of different scopes never collide. */
const freeKey = (provider: string) => `${provider} free`

/** The breaker of `scope` for a model. */
function keyOf({ id, provider }: Model, scope: Exclude<FailureScope, 'request'>): string {
  if (scope === 'model') return id
  // Each endpoint has one API key, so an error about the key concerns the whole endpoint.
  return scope === 'free models' ? freeKey(provider) : provider
}

/** All breakers that must be closed for a model to be called. */
function keysOf({ id, provider, free }: Model): string[] {
  return [provider, ...(free ? [freeKey(provider)] : []), id]
}
