import fc from 'fast-check'
import t from 'tap'
import { decide, type Decision } from '../../src/router/decide.ts'
import type { Candidate } from '../../src/router/rank.ts'
import { anySituation, argumentsOf, type Situation } from '../helpers/router-samples.ts'

type World = Situation & { now: number; chance: number }

const share = fc.double({ min: 0, max: 1, noNaN: true })
const runs = { numRuns: 600 }

/** Random worlds in which nothing is tried out and nobody checks answers: the first is the one that the rules choose. */
const anyWorld: fc.Arbitrary<World> = anySituation.map(({ options = {}, policy = {}, ...world }) => {
  const { verify: _verify, ...rest } = options
  return { ...world, options: rest, policy: { ...policy, explorationShare: 0 } }
})

/** With local models that cost what their power costs. */
const anyMeteredWorld = fc
  .record({ world: anyWorld, localWatts: fc.constantFrom(0, 300), energyPrice: fc.constantFrom(0, 0.4, 4) })
  .map(({ world, localWatts, energyPrice }) => ({ ...world, policy: { ...world.policy, localWatts, energyPrice } }))

function decided(world: World, changes: Situation['options'] = {}, policy: Situation['policy'] = {}): Decision {
  const options = { ...world.options, ...changes }
  return decide(...argumentsOf({ ...world, options, policy: { ...world.policy, ...policy } }), world.now, world.chance)
}

function qualityOfFirst({ candidates }: Decision): number {
  return candidates[0]?.quality ?? -1
}

t.test('raising min_quality never lowers the predicted quality of the choice', async () => {
  fc.assert(
    fc.property(anyMeteredWorld, share, share, (world, one, other) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)]
      return qualityOfFirst(decided(world, { minQuality: high })) >= qualityOfFirst(decided(world, { minQuality: low }))
    }),
    runs,
  )
})

t.test('raising QUALITY_THRESHOLD never lowers the predicted quality of the choice', async () => {
  fc.assert(
    fc.property(anyMeteredWorld, share, share, ({ options, ...rest }, one, other) => {
      const { minQuality: _minQuality, ...kept } = options ?? {}
      const world = { ...rest, options: kept }
      const [low, high] = [Math.min(one, other), Math.max(one, other)]
      return (
        qualityOfFirst(decided(world, {}, { qualityThreshold: high })) >=
        qualityOfFirst(decided(world, {}, { qualityThreshold: low }))
      )
    }),
    runs,
  )
})

const anyLimits = fc.tuple(fc.double({ min: 0, max: 0.05, noNaN: true }), fc.double({ min: 0, max: 0.05, noNaN: true }))

t.test('raising max_cost never lowers the predicted quality that auto:quality chooses', async () => {
  fc.assert(
    fc.property(anyMeteredWorld, anyLimits, (world, limits) => {
      const fresh = { ...world, conversation: undefined }
      const choice = (maxCostUsd: number) => qualityOfFirst(decided(fresh, { maxCostUsd, priority: 'quality' }))
      return choice(Math.max(...limits)) >= choice(Math.min(...limits))
    }),
    runs,
  )
})

t.test('raising max_cost never turns an adequate choice of auto:cost into an inadequate one', async () => {
  fc.assert(
    fc.property(anyMeteredWorld, anyLimits, (world, limits) => {
      const choice = (maxCostUsd: number) => decided(world, { maxCostUsd, priority: 'cost' })
      const [poor, rich] = [choice(Math.min(...limits)), choice(Math.max(...limits))]
      const floor = rich.criteria?.qualityFloor ?? 0
      return qualityOfFirst(poor) < floor || qualityOfFirst(rich) >= Math.min(floor, rich.floor)
    }),
    runs,
  )
})

const costOf = ({ costUsd }: Candidate) => costUsd ?? Infinity

t.test('a candidate that another outdoes in quality, cost and time is never first', async () => {
  fc.assert(
    fc.property(anyMeteredWorld, world => {
      const [first, ...others] = decided({ ...world, conversation: undefined }).candidates
      return !others.some(
        other => other.quality > first!.quality && costOf(other) < costOf(first!) && other.seconds < first!.seconds,
      )
    }),
    runs,
  )
})

t.test('asking the same again gets the same', async t => {
  fc.assert(
    fc.property(anyMeteredWorld, world => {
      const [one, other] = [decided(world), decided(world)]
      t.strictSame(
        other.ranked.map(({ id }) => id),
        one.ranked.map(({ id }) => id),
      )
      t.equal(other.reason, one.reason)
    }),
    { numRuns: 300 },
  )
})

t.test('auto:cost chooses the cheapest that is good enough and ready, auto:speed the fastest', async () => {
  fc.assert(
    fc.property(anyWorld, world => {
      const fresh = { ...world, conversation: undefined }
      const cost = decided(fresh, { priority: 'cost' })
      const [cheap] = cost.candidates
      const ready = cost.candidates.filter(({ adequate, postponed }) => adequate && !postponed)
      if (cheap !== undefined && !cheap.postponed && !cheap.dominated) {
        // Costs are compared to a tenth of a percent and a billionth of a dollar.
        if (ready.some(other => !other.dominated && costOf(other) < 0.998 * costOf(cheap) - 1e-9)) return false
      }
      const speed = decided(fresh, { priority: 'speed' }).candidates
      return speed.every(({ adequate, seconds }) => !adequate || seconds >= 0.999 * speed[0]!.seconds)
    }),
    runs,
  )
})
