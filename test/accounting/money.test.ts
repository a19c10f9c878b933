import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createUsdSum, roundUsd, sumUsd } from '../../src/accounting/money.ts'

const picos = fc.bigInt({ min: 0n, max: 2_000_000_000_000_000n })
/** The nearest number to an amount of picodollars. */
const usd = (amount: bigint) => Number(`${amount}e-12`)

t.test('0.1 and 0.2 are 0.3', t => {
  t.equal(sumUsd([0.1, 0.2]), 0.3)
  t.equal(sumUsd([]), 0)
  t.equal(sumUsd(Array<number>(1_000_000).fill(0.1)), 100_000)
  t.end()
})

t.test('a sum is exact to the picodollar in any order', t => {
  fc.assert(
    fc.property(fc.array(picos, { maxLength: 200 }), amounts => {
      const total = amounts.reduce((sum, amount) => sum + amount, 0n)
      assert.equal(sumUsd(amounts.map(usd)), usd(total))
      const shuffled = amounts.toSorted((a, b) => Number((a % 7n) - (b % 7n)))
      assert.equal(sumUsd(shuffled.map(usd)), usd(total))
    }),
  )
  t.end()
})

t.test('an amount that is kept stays what it is', t => {
  fc.assert(fc.property(picos, amount => assert.equal(roundUsd(usd(amount)), usd(amount))))
  t.end()
})

t.test('a total may be larger than a number can count in picodollars', t => {
  const sum = createUsdSum()
  for (let count = 0; count < 100; count++) sum.add(1_234.000000000001)
  t.equal(sum.total(), 123_400.0000000001)
  t.end()
})
