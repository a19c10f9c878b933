import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isFree, listedCostOf, type Price, type Rates } from '../../src/accounting/pricing.ts'
import { noUsage, type Usage } from '../../src/wire/usage.ts'

const tokens = fc.nat(1_000_000)
/** Thousandths of a dollar per million, so that the expected sums are exact. */
const rate = fc.nat(100_000).map(thousandths => thousandths / 1000)
const anyRates: fc.Arbitrary<Rates> = fc.record(
  {
    input: rate,
    output: rate,
    cacheRead: rate,
    cacheWrite: rate,
    cacheWrite1h: rate,
    audioInput: rate,
    imageInput: rate,
    audioOutput: rate,
    imageOutput: rate,
    reasoning: rate,
    requestUsd: rate,
  },
  { requiredKeys: ['input', 'output'] },
)
/** Tokens that each belong to one kind only. */
const anyKinds = fc.record({
  text: tokens,
  sound: tokens,
  picture: tokens,
  cacheRead: tokens,
  cacheWrite5m: tokens,
  cacheWrite1h: tokens,
  written: tokens,
  spoken: tokens,
  drawn: tokens,
  reasoned: tokens,
})

t.test('every token is charged once, at the rate of its own kind', t => {
  fc.assert(
    fc.property(anyRates, anyKinds, (rates, kinds) => {
      const usage: Usage = {
        inputTokens: kinds.text + kinds.sound + kinds.picture,
        cacheReadTokens: kinds.cacheRead,
        cacheWriteTokens: kinds.cacheWrite5m + kinds.cacheWrite1h,
        cacheWrite1hTokens: kinds.cacheWrite1h,
        outputTokens: kinds.written + kinds.spoken + kinds.drawn + kinds.reasoned,
        reasoningTokens: kinds.reasoned,
        audioInputTokens: kinds.sound,
        imageInputTokens: kinds.picture,
        audioOutputTokens: kinds.spoken,
        imageOutputTokens: kinds.drawn,
      }
      const { input, output } = rates
      const write = rates.cacheWrite ?? input
      const parts: [number, number][] = [
        [kinds.text, input],
        [kinds.sound, rates.audioInput ?? input],
        [kinds.picture, rates.imageInput ?? input],
        [kinds.cacheRead, rates.cacheRead ?? input],
        [kinds.cacheWrite5m, write],
        [kinds.cacheWrite1h, rates.cacheWrite1h ?? write],
        [kinds.written, output],
        [kinds.spoken, rates.audioOutput ?? output],
        [kinds.drawn, rates.imageOutput ?? output],
        [kinds.reasoned, rates.reasoning ?? output],
      ]
      // Thousandths of a dollar per million tokens, in whole numbers.
      const perMillion = parts.reduce((sum, [count, usd]) => sum + BigInt(count) * BigInt(Math.round(usd * 1000)), 0n)
      const expected = Number(perMillion) / 1e9 + (rates.requestUsd ?? 0)
      assert.ok(Math.abs(listedCostOf(rates, usage, 0)! - expected) < 1e-9, `${listedCostOf(rates, usage, 0)}`)
    }),
  )
  t.end()
})

t.test('of overrides whose conditions are met the later one wins, rate by rate', t => {
  const price: Price = {
    input: 1,
    output: 2,
    overrides: [
      { fromPromptTokens: 1_000_000, input: 4, output: 8 },
      { utc: { from: 22 * 60, until: 6 * 60 }, input: 0.5 },
    ],
  }
  const cost = (inputTokens: number, time: string) =>
    listedCostOf(price, { ...noUsage, inputTokens, outputTokens: 1_000_000 }, Date.parse(`2026-03-15T${time}:00Z`))
  t.equal(cost(500_000, '12:00'), 2.5)
  t.equal(cost(1_000_000, '12:00'), 12)
  t.equal(cost(500_000, '22:00'), 2.25)
  t.equal(cost(500_000, '05:59'), 2.25)
  t.equal(cost(500_000, '06:00'), 2.5)
  t.equal(cost(1_000_000, '23:00'), 8.5, 'the long prompt at night')
  t.equal(isFree({ input: 0, output: 0, overrides: [{ fromPromptTokens: 9, input: 1 }] }), false)
  t.equal(isFree({ input: 0, output: 0, overrides: [{ fromPromptTokens: 9, input: 0 }] }), true)
  t.end()
})
