import fc from 'fast-check'
import t from 'tap'
import { picosOf } from '../../src/accounting/money.ts'
import { costOf, type Price, type PriceOverride, type Rates } from '../../src/accounting/pricing.ts'
import { outputTokensFor, worstCostOf, type CallBounds } from '../../src/accounting/worst-case.ts'

const rate = fc.double({ min: 0, max: 100, noNaN: true })
const optional = {
  cacheRead: rate,
  cacheWrite: rate,
  cacheWrite1h: rate,
  audioInput: rate,
  imageInput: rate,
  audioOutput: rate,
  imageOutput: rate,
  reasoning: rate,
  requestUsd: fc.double({ min: 0, max: 1, noNaN: true }),
}
const rates: fc.Arbitrary<Rates> = fc.record(
  { input: rate, output: rate, ...optional },
  { requiredKeys: ['input', 'output'] },
)
const override: fc.Arbitrary<PriceOverride> = fc.record(
  {
    input: rate,
    output: rate,
    ...optional,
    fromPromptTokens: fc.integer({ min: 0, max: 20_000 }),
    utc: fc.record({ from: fc.integer({ min: 0, max: 1439 }), until: fc.integer({ min: 0, max: 1439 }) }),
  },
  { requiredKeys: [] },
)
const price: fc.Arbitrary<Price> = fc
  .tuple(rates, fc.array(override, { maxLength: 3 }))
  .map(([base, overrides]) => ({ ...base, overrides }))
const share = fc.double({ min: 0, max: 1, noNaN: true })
const bounds: fc.Arbitrary<CallBounds> = fc.record({
  promptTokens: fc.integer({ min: 0, max: 30_000 }),
  outputTokens: fc.integer({ min: 0, max: 30_000 }),
  leastOutputTokens: fc.constant(0),
  choices: fc.integer({ min: 1, max: 4 }),
})

t.test('no usage within its bounds, at whatever time, costs more than the worst case', async t => {
  fc.assert(
    fc.property(
      price,
      bounds,
      fc.array(share, { minLength: 8, maxLength: 8 }),
      fc.nat(),
      (price, call, parts, minute) => {
        const [prompt, read, write, hour, output, reasoning, audio, image] = parts as [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ]
        const all = Math.floor(call.promptTokens * prompt)
        const cacheReadTokens = Math.floor(all * read)
        const cacheWriteTokens = Math.floor((all - cacheReadTokens) * write)
        const inputTokens = all - cacheReadTokens - cacheWriteTokens
        const outputTokens = Math.floor(call.outputTokens * call.choices * output)
        const usage = {
          inputTokens,
          cacheReadTokens,
          cacheWriteTokens,
          cacheWrite1hTokens: Math.floor(cacheWriteTokens * hour),
          audioInputTokens: Math.floor(inputTokens * audio),
          imageInputTokens: Math.floor(inputTokens * (1 - audio) * image),
          outputTokens,
          reasoningTokens: Math.floor(outputTokens * reasoning),
          audioOutputTokens: Math.floor(outputTokens * audio * (1 - reasoning)),
          imageOutputTokens: Math.floor(outputTokens * (1 - audio) * image * (1 - reasoning)),
        }
        const cost = costOf(price, usage, minute * 60_000)!
        return picosOf(cost) <= worstCostOf(price, call, call.outputTokens)
      },
    ),
    { numRuns: 2_000 },
  )
  t.pass('held in every run')
})

t.test('as many output tokens are paid for as money was granted for, and not one more', async t => {
  fc.assert(
    fc.property(price, bounds, share, (price, call, part) => {
      const most = worstCostOf(price, call, call.outputTokens)
      const granted = (most * BigInt(Math.floor(part * 1000))) / 1000n
      const tokens = outputTokensFor(price, call, granted)
      if (tokens > 0 && worstCostOf(price, call, tokens) > granted) return false
      return tokens === call.outputTokens || worstCostOf(price, call, tokens + 1) > granted
    }),
    { numRuns: 500 },
  )
  t.pass('held in every run')
})
