import { assert, double, integer, nat, property, tuple } from 'fast-check'
import t, { type Test } from 'tap'
import { calibration } from '../../src/bench/calibration.ts'
import {
  betaCumulative,
  mcnemar,
  median,
  pairedBootstrap,
  probabilityBetter,
  wilson,
} from '../../src/bench/statistics.ts'
import { seeded } from './seeded.ts'

const near = (t: Test, actual: number, expected: number) =>
  t.ok(Math.abs(actual - expected) < 5e-4, `${actual} is ${expected}`)
t.test('intervals agree with published figures', async t => {
  near(t, wilson(8, 10).low, 0.4902)
  near(t, wilson(8, 10).high, 0.9433)
  near(t, wilson(0, 20).high, 0.1611)
  near(t, betaCumulative(0.3, 2, 5), 0.579825)
})

t.test('the order of two rates has the probability that arithmetic gives', async t => {
  near(t, probabilityBetter({ passed: 3, total: 3 }, { passed: 0, total: 3 }), 1 - 1 / 70)
  near(t, probabilityBetter({ passed: 2, total: 4 }, { passed: 2, total: 4 }), 0.5)
})

t.test('McNemar’s exact test agrees with the binomial distribution', async t => {
  near(t, mcnemar(5, 0), 2 / 32)
  near(t, mcnemar(1, 6), 2 * (8 / 128))
  t.equal(mcnemar(3, 3), 1)
  t.equal(mcnemar(0, 0), 1)
})

t.test('every interval contains its rate and lies in 0 to 1', async () => {
  assert(
    property(integer({ min: 1, max: 300 }), double({ min: 0, max: 1, noNaN: true }), (total, share) => {
      const passed = Math.round(total * share)
      const { low, high, value } = wilson(passed, total)
      return low >= 0 && low <= value + 1e-9 && value <= high + 1e-9 && high <= 1
    }),
  )
})

t.test('two rates are ordered one way or the other', async () => {
  const count = tuple(nat(20), nat(20)).map(([passed, failed]) => ({ passed, total: passed + failed }))
  assert(property(count, count, (a, b) => Math.abs(probabilityBetter(a, b) + probabilityBetter(b, a) - 1) < 1e-3))
})

t.test('a paired bootstrap finds real differences only', async t => {
  const clear = Array.from({ length: 40 }, (_, index) => (index % 4 === 0 ? 0 : 1))
  const none = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 1 : -1))
  t.ok(pairedBootstrap(clear, seeded(1)).low > 0.5)
  const { low, high } = pairedBootstrap(none, seeded(1))
  t.ok(low < 0 && high > 0)
  t.strictSame(
    pairedBootstrap(none, seeded(1)),
    pairedBootstrap(none, seeded(1)),
    'the same chance gives the same interval',
  )
})

t.test('calibration distinguishes accurate from overconfident predictions', async t => {
  const random = seeded(3)
  const honest = Array.from({ length: 2_000 }, () => {
    const predicted = random()
    return { predicted, passed: random() < predicted }
  })
  const boastful = honest.map(({ predicted, passed }) => ({ predicted: predicted ** 0.3, passed }))
  t.ok(calibration(honest).error < 0.04, `${calibration(honest).error}`)
  t.ok(calibration(boastful).error > 0.2)
  t.ok(calibration(boastful).brier > calibration(honest).brier)
  t.ok(calibration(honest).bins.every(({ low, high, predicted }) => low - 0.05 < predicted && predicted < high + 0.05))
  t.strictSame(calibration([]), { count: 0, brier: 0, error: 0, bins: [] })
})

t.test('the median is the middle value', async t => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.equal(median([]), undefined)
})
