import fc from 'fast-check'
import t from 'tap'
import { expectedRate, noEffect, shrunkRate, successOf } from '../../src/router/success.ts'

const share = fc.double({ min: 0, max: 1, noNaN: true })
const shift = fc.double({ min: -1, max: 1, noNaN: true })
const ability = fc.double({ min: -6, max: 6, noNaN: true })
const skills = fc.array(shift, { maxLength: 4 })

t.test('a predicted success is a probability, whatever the text says', async () => {
  fc.assert(
    fc.property(share, shift, shift, skills, ability, (rate, level, slope, asked, above) => {
      const success = successOf(rate, { level, slope, skills: asked }, above, asked)
      return success >= 0 && success <= 1
    }),
  )
})

t.test('a text that says nothing leaves the rate of its kind as it is', async () => {
  fc.assert(
    fc.property(fc.double({ min: 0.05, max: 0.95, noNaN: true }), ability, (rate, above) => {
      return Math.abs(successOf(rate, noEffect, above, undefined) - rate) < 1e-12
    }),
  )
})

t.test(
  'where ability matters more, the abler model gains, and never by changing the order of rates alone',
  async () => {
    const slopes = fc.double({ min: 0, max: 0.5, noNaN: true })
    fc.assert(
      fc.property(
        fc.tuple(share, share),
        slopes,
        fc.tuple(ability, ability),
        shift,
        (rates, slope, abilities, level) => {
          const effect = { level, slope, skills: [] }
          const weaker = successOf(Math.min(...rates), effect, Math.min(...abilities), undefined)
          const stronger = successOf(Math.max(...rates), effect, Math.max(...abilities), undefined)
          return stronger >= weaker - 1e-12
        },
      ),
    )
  },
)

t.test('a harder text is never predicted to go better', async () => {
  fc.assert(
    fc.property(share, shift, shift, ability, (rate, level, harder, above) => {
      const rateAt = (value: number) => successOf(rate, { level: value, slope: 0, skills: [] }, above, undefined)
      return rateAt(level - Math.abs(harder)) <= rateAt(level)
    }),
  )
})

t.test('a measured rate is pulled towards the expectation, less the more was seen', async t => {
  const expected = expectedRate(0, 0)
  t.equal(expected, 0.5)
  t.equal(shrunkRate(undefined, expected), 0.5)
  t.equal(shrunkRate({ rate: 1, count: 10 }, expected), 0.75)
  t.ok(shrunkRate({ rate: 1, count: 1000 }, expected) > 0.99)
})
