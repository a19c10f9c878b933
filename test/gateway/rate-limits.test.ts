import fc from 'fast-check'
import t from 'tap'
import { createRateLimiter } from '../../src/gateway/rate-limits.ts'

t.test(
  'in no window does a key get more requests than its burst and its rate allow, whatever the clock does',
  async t => {
    const step = fc.record({ waitMs: fc.integer({ min: -90_000, max: 90_000 }), asks: fc.integer({ min: 0, max: 8 }) })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, { maxLength: 60 }), (perMinute, steps) => {
        let nowMs = 1_000_000_000
        const limiter = createRateLimiter(() => nowMs)
        const limits = { requestsPerMinute: perMinute, tokensPerMinute: null, concurrentRequests: null }
        let forwardMs = 0
        let admitted = 0
        for (const { waitMs, asks } of steps) {
          nowMs += waitMs
          forwardMs += Math.max(0, waitMs)
          for (let ask = 0; ask < asks; ask++) {
            if (limiter.admit('alice', limits, 0).refusal === undefined) admitted++
          }
          if (admitted > perMinute + (forwardMs * perMinute) / 60_000 + 1e-6) return false
        }
        return true
      }),
    )
    t.pass('held in every run')
  },
)

t.test('a refused request says how long to wait, and is admitted then', async t => {
  const limit = fc.record({
    requestsPerMinute: fc.integer({ min: 1, max: 100 }),
    tokensPerMinute: fc.integer({ min: 1, max: 10_000 }),
  })
  fc.assert(
    fc.property(
      limit,
      fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 50 }),
      (limits, asks) => {
        let nowMs = 0
        const limiter = createRateLimiter(() => nowMs)
        for (const tokens of asks) {
          const { refusal } = limiter.admit('alice', { ...limits, concurrentRequests: null }, tokens)
          if (refusal === undefined) continue
          nowMs += (refusal.retryAfterSeconds ?? 0) * 1000
          const second = limiter.admit('alice', { ...limits, concurrentRequests: null }, tokens).refusal
          // The other of the two limits may ask for a longer wait.
          if (second !== undefined) {
            nowMs += (second.retryAfterSeconds ?? 0) * 1000
            if (limiter.admit('alice', { ...limits, concurrentRequests: null }, tokens).refusal !== undefined)
              return false
          }
        }
        return true
      },
    ),
  )
  t.pass('held in every run')
})

t.test('however requests end, all places and all tokens that nobody used are given back', async t => {
  const ending = fc.constantFrom('used', 'unused', 'used late', 'ended twice')
  fc.assert(
    fc.property(fc.array(fc.tuple(ending, fc.integer({ min: 0, max: 90 })), { maxLength: 40 }), endings => {
      const limiter = createRateLimiter(() => 0)
      const limits = { requestsPerMinute: null, tokensPerMinute: 1_000_000, concurrentRequests: 1 }
      let used = 0
      for (const [how, tokens] of endings) {
        const { refusal, ...admission } = limiter.admit('alice', limits, 50)
        if (refusal !== undefined) return false
        if (how === 'used') admission.used(tokens)
        admission.ended()
        if (how === 'used late') admission.used(tokens)
        if (how === 'ended twice') admission.ended()
        if (how.startsWith('used')) used += tokens
      }
      return limiter.admit('alice', limits, 0).tokens?.remaining === 1_000_000 - used
    }),
  )
  t.pass('held in every run')
})
