import { LRUCache } from 'lru-cache'
import type { GatewayError } from '../errors.ts'
import type { Model } from '../providers/provider.ts'
import type { Condition } from '../router/filter.ts'

const failuresToOpen = 3
const firstPauseMs = 15_000
const longestPauseMs = 300_000
const defaultRateLimitMs = 15_000
const longestRateLimitMs = 3_600_000
const remembered = 5_000

interface Breaker {
  /** Consecutive failures. */
  failures: number
  openUntil: number
  /** Half-open: exactly one request tests whether the model answers again. */
  probing: boolean
  limitedUntil: number
  reason: string
}

/** Circuit breakers: keep requests away from a (provider, model) that just failed. */
export interface Breakers {
  condition(model: Model): Condition
  /** Claims permission to try; false while open, and while another request probes a half-open one. */
  tryEnter(model: Model): boolean
  succeeded(model: Model): void
  failed(model: Model, error: GatewayError): void
  /** The attempt ended without a result about the model, for instance because the client disconnected. */
  left(model: Model): void
  /** The settings of this provider changed, so earlier failures no longer apply. */
  forget(provider: string): void
}

/** `now` in milliseconds since the epoch. Holds at most 5,000 models; a model without an entry counts as healthy. */
export function createBreakers(now: () => number): Breakers {
  const breakers = new LRUCache<string, Breaker>({ max: remembered })
  const breakerOf = (model: Model): Breaker => {
    let breaker = breakers.get(model.id)
    if (breaker === undefined) {
      breaker = { failures: 0, openUntil: 0, probing: false, limitedUntil: 0, reason: '' }
      breakers.set(model.id, breaker)
    }
    return breaker
  }

  return {
    condition(model) {
      const breaker = breakers.get(model.id)
      if (breaker === undefined) return { state: 'ready' }
      const { limitedUntil, openUntil, reason } = breaker
      if (limitedUntil > now()) return { state: 'rate_limited', reason, until: limitedUntil }
      if (openUntil > now()) return { state: 'unavailable', reason, until: openUntil }
      if (breaker.probing) return { state: 'unavailable', reason: `${reason}; being tried again` }
      return { state: 'ready' }
    },
    tryEnter(model) {
      const breaker = breakers.get(model.id)
      if (breaker === undefined || breaker.failures < failuresToOpen) return (breaker?.limitedUntil ?? 0) <= now()
      if (breaker.probing || breaker.openUntil > now()) return false
      breaker.probing = true
      return true
    },
    succeeded(model) {
      breakers.delete(model.id)
    },
    failed(model, error) {
      const breaker = breakerOf(model)
      breaker.probing = false
      if (error.code === 'upstream_rate_limited') {
        const waitMs = Math.min((error.retryAfterSeconds ?? defaultRateLimitMs / 1000) * 1000, longestRateLimitMs)
        breaker.limitedUntil = now() + waitMs
        breaker.reason = 'rate limited by its server'
      }
      if (!error.failure.breaker) return
      breaker.failures++
      if (breaker.failures < failuresToOpen) return
      const pauseMs = Math.min(firstPauseMs * 2 ** (breaker.failures - failuresToOpen), longestPauseMs)
      breaker.openUntil = now() + Math.max(pauseMs, (error.retryAfterSeconds ?? 0) * 1000)
      breaker.reason = `failed ${breaker.failures} times in a row`
    },
    left(model) {
      const breaker = breakers.get(model.id)
      if (breaker !== undefined) breaker.probing = false
    },
    forget(provider) {
      const ids = [...breakers.keys()].filter(id => id.startsWith(`${provider}/`))
      for (const id of ids) breakers.delete(id)
    },
  }
}
