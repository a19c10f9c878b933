import t from 'tap'
import { seededRandom } from '../../src/router/chance.ts'
import { slopeOf } from './slope.ts'

t.test('growth per 100,000 requests is found with an interval that holds it', async t => {
  for (const grows of [0, 3, 85]) {
    const random = seededRandom(7)
    const samples = Array.from({ length: 40 }, (_, index) => ({
      requests: index * 5_000,
      residentMb: 140 + (grows * index) / 20 + 4 * (random() - 0.5),
    }))
    const { value, low, high } = slopeOf(samples)
    t.ok(low <= grows && grows <= high, `${grows} is in [${low}, ${high}]`)
    t.ok(Math.abs(value - grows) < 2)
  }
})
