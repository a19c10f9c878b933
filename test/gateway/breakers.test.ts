import t from 'tap'
import { GatewayError, type FailureCode } from '../../src/errors.ts'
import { createBreakers } from '../../src/gateway/breakers.ts'
import type { Model } from '../../src/providers/provider.ts'

const model = (provider: string, name: string): Model => ({
  id: `${provider}/${name}`,
  provider,
  name,
  tier: 'remote',
  price: undefined,
  free: true,
  contextTokens: undefined,
  loaded: undefined,
  capabilities: {},
})
const [a, b, other] = [model('p', 'a'), model('p', 'b'), model('q', 'a')]

t.test('a provider out of service is probed by one request at a time, and comes back with the first success', t => {
  let now = 0
  const breakers = createBreakers(() => now)
  const fail = (code: FailureCode) => breakers.failed(a, new GatewayError(code, 'no'))
  fail('upstream_unauthorized')
  t.equal(breakers.tryEnter(b), false, 'no other model of it is tried')
  t.equal(breakers.tryEnter(other), true)
  t.match(breakers.conditionOfProvider('p'), { state: 'unavailable', reason: /out of service/ })
  now += 30_001
  t.equal(breakers.tryEnter(b), true)
  t.equal(breakers.tryEnter(a), false, 'one probe is under way')
  fail('upstream_unauthorized')
  now += 30_001
  t.equal(breakers.tryEnter(b), false, 'the pause has doubled')
  now += 30_000
  t.equal(breakers.tryEnter(b), true)
  breakers.succeeded(b)
  t.same(breakers.condition(a), { state: 'ready' })
  t.end()
})

t.test('requests that fail together count once', t => {
  let now = 0
  const breakers = createBreakers(() => now)
  for (let request = 0; request < 100; request++) breakers.failed(a, new GatewayError('upstream_unauthorized', 'no'))
  now += 30_001
  t.equal(breakers.tryEnter(a), true)
  t.end()
})

t.test('a pause ends after five minutes at most, however often the probe fails', t => {
  let now = 0
  const breakers = createBreakers(() => now)
  for (let probe = 0; probe < 50; probe++) {
    breakers.failed(a, new GatewayError('upstream_unavailable', 'no'))
    now += 300_001
    t.equal(breakers.tryEnter(b), true)
  }
  t.end()
})

t.test('after other settings a provider is tried at once', t => {
  const breakers = createBreakers(() => 0)
  breakers.failed(a, new GatewayError('upstream_payment_required', 'no'))
  breakers.failed(b, new GatewayError('upstream_free_limited', 'no'))
  breakers.forget('p')
  t.equal(breakers.tryEnter(b), true)
  t.end()
})
