import t from 'tap'
import { decide } from '../../src/router/decide.ts'
import { argumentsOf, localModel, measured, paidModel, type Situation } from '../helpers/router-samples.ts'

/** What the first candidate of a situation was expected to take. */
function expectedOf(situation: Situation) {
  const [candidate] = decide(...argumentsOf(situation), 0, 0.5).candidates
  return candidate!
}

t.test('a local model that has to be loaded costs the time of its load, so that a swap is never free', async t => {
  const warm = expectedOf({ models: [localModel('a', { sizeBytes: 8e9 })] })
  const cold = expectedOf({ models: [localModel('a', { sizeBytes: 8e9, loaded: false })] })
  t.equal(warm.waitSeconds, 0)
  t.ok(cold.waitSeconds >= 10, `${cold.waitSeconds} s for 8 GB`)
  t.ok(cold.seconds >= warm.seconds + 10)
})

t.test('what a conversation’s model has in its cache is paid and waited for once', async t => {
  const model = paidModel('a', { price: { input: 3, output: 15, cacheRead: 0.3 } })
  const prompt = measured({ promptTokens: 20_000 })
  const fresh = expectedOf({ models: [model], measured: prompt })
  const conversation = { modelId: model.id, cachedTokens: 19_000 }
  const cached = expectedOf({ models: [model], measured: prompt, conversation })
  t.ok(cached.costUsd! < fresh.costUsd! / 2, `${cached.costUsd} after ${fresh.costUsd}`)
  t.ok(cached.seconds < fresh.seconds)
})

t.test('power is part of the price of a local answer', async t => {
  const model = localModel('a')
  const free = expectedOf({ models: [model], policy: { localWatts: 0 } })
  const powered = expectedOf({ models: [model], policy: { localWatts: 300, energyPrice: 0.4 } })
  t.equal(free.costUsd, 0)
  t.ok(powered.costUsd! > 0)
})
