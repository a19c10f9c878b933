import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { readUsage, writeUsage } from '../../src/wire/chat/schema.ts'
import { readMessagesUsage, writeMessagesUsage } from '../../src/wire/messages/schema.ts'
import { writeResponsesUsage } from '../../src/wire/responses/schema.ts'
import {
  countsIn,
  readCharge,
  readUsageIn,
  usageFormats,
  type FormatCounts,
  type UsageFormat,
} from '../../src/wire/usage-formats.ts'
import {
  detailsOf,
  noUsage,
  promptTokens,
  sumUsage,
  usageDetails,
  type Usage,
  type UsageDetails,
} from '../../src/wire/usage.ts'

const count = fc.nat(1_000_000)
const anyUsage: fc.Arbitrary<Usage> = fc
  .record({ inputTokens: count, cacheReadTokens: count, cacheWriteTokens: count, plain: count, reasoningTokens: count })
  .map(({ plain, ...usage }) => ({ ...usage, outputTokens: plain + usage.reasoningTokens }))
const share = fc.double({ min: 0, max: 1, noNaN: true })
/** With cache writes for an hour, sound and pictures among its tokens. */
const anyDetailedUsage: fc.Arbitrary<Usage> = fc
  .tuple(anyUsage, fc.tuple(share, share, share, share, share))
  .map(([usage, [hour, sound, picture, spoken, drawn]]) => {
    const audioInputTokens = Math.floor(promptTokens(usage) * sound)
    const audioOutputTokens = Math.floor(usage.outputTokens * spoken)
    const parts = {
      cacheWrite1hTokens: Math.floor(usage.cacheWriteTokens * hour),
      audioInputTokens,
      imageInputTokens: Math.floor((promptTokens(usage) - audioInputTokens) * picture),
      audioOutputTokens,
      imageOutputTokens: Math.floor((usage.outputTokens - audioOutputTokens) * drawn),
    }
    return { ...usage, ...detailsOf(name => parts[name]) }
  })
const formats: readonly [string, UsageFormat][] = Object.entries(usageFormats)
const beside: UsageFormat = { ...usageFormats.chat, outputIncludesReasoning: false }

t.test('no format counts a token twice or drops one', t => {
  for (const [name, format] of [...formats, ['reasoning beside output', beside] as const]) {
    fc.assert(
      fc.property(anyDetailedUsage, usage => {
        const read = readUsageIn(format, written(format, countsIn(format, usage)))!
        assert.equal(promptTokens(read), promptTokens(usage), `${name}: prompt`)
        assert.equal(read.outputTokens, usage.outputTokens, `${name}: output`)
        // Of the parts, those that the format has.
        if (format.cacheRead !== undefined) assert.equal(read.cacheReadTokens, usage.cacheReadTokens)
        if (format.cacheWrite !== undefined) assert.equal(read.cacheWriteTokens, usage.cacheWriteTokens)
        if (format.reasoning !== undefined) assert.equal(read.reasoningTokens, usage.reasoningTokens)
        for (const detail of usageDetails) {
          assert.equal(read[detail], format.details?.[detail] === undefined ? undefined : usage[detail], detail)
        }
      }),
    )
  }
  t.end()
})

t.test('what one protocol writes the next one reads: a translation changes no count', t => {
  fc.assert(
    fc.property(anyUsage, anyDetailedUsage, (usage, detailed) => {
      assert.deepEqual(readUsage(writeUsage(detailed)), detailed)
      assert.deepEqual(readMessagesUsage(writeMessagesUsage(usage)), usage)
      const { cacheWrite1hTokens } = readMessagesUsage(writeMessagesUsage(detailed))!
      assert.equal(cacheWrite1hTokens, detailed.cacheWrite1hTokens)
      assert.deepEqual(readUsageIn(usageFormats.responses, writeResponsesUsage(usage)), usage)
    }),
  )
  t.end()
})

t.test('whatever a server claims, the parts of a usage add up and none is negative', t => {
  const claim = fc.oneof(count, fc.double(), fc.constant(null), fc.string(), fc.constant(undefined))
  for (const [name, format] of formats) {
    fc.assert(
      fc.property(fc.array(claim, { minLength: 11, maxLength: 11 }), claims => {
        const [input, output, cacheRead, cacheWrite, reasoning, total, ...parts] = claims
        const details = Object.fromEntries(usageDetails.map((detail, index) => [detail, parts[index]]))
        const counts = { input, output, cacheRead, cacheWrite, reasoning, details }
        const usage = readUsageIn(format, written(format, counts, total))
        if (usage === undefined) return
        const { reasoningTokens, outputTokens } = usage
        assert.ok(reasoningTokens >= 0 && reasoningTokens <= outputTokens, `${name}: reasoning`)
        for (const tokens of Object.values(usage)) assert.ok(Number.isSafeInteger(tokens) && (tokens as number) >= 0)
        const { cacheWrite1hTokens = 0, audioInputTokens = 0, imageInputTokens = 0 } = usage
        const { audioOutputTokens = 0, imageOutputTokens = 0 } = usage
        assert.ok(cacheWrite1hTokens <= usage.cacheWriteTokens, `${name}: writes for an hour`)
        assert.ok(audioInputTokens + imageInputTokens <= promptTokens(usage), `${name}: parts of the prompt`)
        assert.ok(audioOutputTokens + imageOutputTokens <= outputTokens, `${name}: parts of the output`)
      }),
    )
  }
  t.end()
})

t.test('updates that are totals keep what they do not repeat', t => {
  fc.assert(
    fc.property(anyUsage, count, (start, output) => {
      const before = readMessagesUsage(writeMessagesUsage({ ...start, outputTokens: 1, reasoningTokens: 0 }))
      const after = readMessagesUsage({ output_tokens: output }, before)!
      assert.equal(promptTokens(after), promptTokens(start))
      assert.equal(after.outputTokens, output)
    }),
  )
  t.end()
})

t.test('a server that counts reasoning beside the output is found out by its total', t => {
  const told = { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 20 } }
  t.match(readUsage({ ...told, total_tokens: 35 }), { outputTokens: 25, reasoningTokens: 20 })
  t.match(readUsage({ ...told, completion_tokens: 25, total_tokens: 35 }), { outputTokens: 25, reasoningTokens: 20 })
  t.match(readUsage({ prompt_tokens: 100, completion_tokens: 5, prompt_cache_hit_tokens: 90 }), {
    inputTokens: 10,
    cacheReadTokens: 90,
  })
  t.end()
})

t.test('the cost at a provider of one’s own key is added only where that key was used', t => {
  const details = { cost_details: { upstream_inference_cost: 0.02 } }
  const both = { reportedCostUsd: 0.001, byokCostUsd: 0.02 }
  t.same(readCharge({ cost: 0.001, is_byok: true, ...details }), both)
  t.same(readCharge({ cost: 0.001, ...details }), both, 'older answers have no flag: a fee is below the cost')
  t.same(readCharge({ cost: 0.02, is_byok: false, ...details }), { reportedCostUsd: 0.02 })
  t.same(readCharge({ cost: 0.02, ...details }), { reportedCostUsd: 0.02 })
  t.same(readCharge({ cost: 0.001, is_byok: true }), { reportedCostUsd: 0.001 })
  t.same(readCharge({ cost: -1, is_byok: true, ...details }), {})
  t.same(readUsage({ ...writeUsage({ ...noUsage, ...both }) }), { ...noUsage, ...both })
  t.end()
})

t.test('the tokens of several calls are their sum', t => {
  fc.assert(
    fc.property(fc.array(anyDetailedUsage), usages => {
      const sum = sumUsage(usages)
      for (const detail of usageDetails) {
        assert.equal(
          sum[detail] ?? 0,
          usages.reduce((total, usage) => total + (usage[detail] ?? 0), 0),
        )
      }
      assert.equal(
        promptTokens(sum) + sum.outputTokens,
        usages.reduce((total, usage) => total + promptTokens(usage) + usage.outputTokens, 0),
      )
    }),
  )
  t.end()
})

type Details = Partial<Record<keyof UsageDetails, unknown>>

/** The counts in the fields of a format. */
function written(format: UsageFormat, counts: { [Count in keyof FormatCounts]: unknown }, total?: unknown): object {
  const places = [
    [format.input, counts.input],
    [format.output, counts.output],
    [format.cacheRead?.[0], counts.cacheRead],
    [format.cacheWrite?.[0], counts.cacheWrite],
    [format.reasoning?.[0], counts.reasoning],
    ...usageDetails.map(detail => [format.details?.[detail], (counts.details as Details)[detail]] as const),
    [format.total, total],
  ] as const
  const usage: Record<string, unknown> = {}
  for (const [place = [], value] of places) {
    const [first, second] = place
    if (first === undefined) continue
    if (second === undefined) usage[first] = value
    else usage[first] = { ...(usage[first] as object | undefined), [second]: value }
  }
  return usage
}
