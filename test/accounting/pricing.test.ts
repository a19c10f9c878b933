import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import type { Price } from '../../src/accounting/pricing.ts'
import { createLearner } from '../../src/gateway/learner.ts'
import { openRequestRecorder } from '../../src/gateway/request-record.ts'
import { decisionView } from '../../src/operations/decision-view.ts'
import { decide } from '../../src/router/decide.ts'
import { writeUsage } from '../../src/wire/chat/schema.ts'
import { noUsage } from '../../src/wire/usage.ts'
import { argumentsOf, measured, paidModel } from '../helpers/router-samples.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { openTestLedger } from '../ledger/open-ledger.ts'

t.test(
  'explain_route shows the cost that decided, the fee per request included, and the ledger charges it',
  async t => {
    const upstream = await scriptedUpstream(t, 'openrouter', {
      models: [
        { name: 'lab/plain', price: { input: 1, output: 4 } },
        { name: 'lab/with-fee', price: { input: 1, output: 4, request: 0.01 } },
      ],
    })
    const gateway = await startGateway(t, variablesFor(upstream))
    const request = { model: 'auto', messages: [{ role: 'user', content: 'Hello?' }] }
    const explained = await exchange(`${gateway.url}/admin/explain_route`, {
      method: 'POST',
      body: JSON.stringify({ request }),
    })
    const { candidates, prompt_tokens } = explained.json
    // A model of an unknown family is expected to take a tenth more tokens than are counted here.
    const promptTokens = Math.ceil(prompt_tokens * 1.1)
    const [plain, withFee] = ['openrouter/lab/plain', 'openrouter/lab/with-fee'].map(
      id => candidates.find(({ model }: { model: string }) => model === id).estimated_cost_usd,
    )
    t.ok(Math.abs(withFee - plain - 0.01) < 1e-12, 'the fee is in the estimate')
    t.ok(
      candidates[1].lost_because.includes(`$${withFee.toPrecision(2)} against $${plain.toPrecision(2)}`),
      'the sentence names the same figures',
    )

    // As long an answer as was expected of this kind of request.
    const outputTokens = Math.round((plain * 1e6 - promptTokens) / 4)
    t.ok(outputTokens > 0)
    upstream.script = { ...upstream.script, answer: { usage: { promptTokens, outputTokens, costUsd: null } } }
    for (const [model, expected] of [
      ['openrouter/lab/plain', plain],
      ['openrouter/lab/with-fee', withFee],
    ]) {
      await gateway.ask({ ...request, model })
      const [row] = await gateway.core.ledger.recent(1)
      t.match(row, { model, cost_usd: expected })
    }
  },
)

const rate = fc.double({ min: 0, max: 100, noNaN: true })
const rates = {
  input: rate,
  output: rate,
  cacheRead: rate,
  cacheWrite: rate,
  requestUsd: fc.double({ min: 0, max: 1, noNaN: true }),
}
const anyPrice: fc.Arbitrary<Price> = fc.record(
  {
    ...rates,
    overrides: fc.array(
      fc.record(
        {
          ...rates,
          fromPromptTokens: fc.nat(20_000),
          utc: fc.record({ from: fc.nat(1_440), until: fc.nat(1_440) }),
        },
        { requiredKeys: [] },
      ),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ['input', 'output'] },
)

t.test('what explain shows is what decide used and what the ledger charges for the same usage', async t => {
  const ledger = openTestLedger(t)
  const learner = createLearner({
    knowledge: argumentsOf({ models: [] })[2],
    ratios: { learn: () => undefined },
    store: { save: () => undefined, remove: () => undefined },
    now: () => 0,
    log: pino({ level: 'silent' }),
  })
  let count = 0
  await fc.assert(
    fc.asyncProperty(
      anyPrice,
      fc.nat(30_000),
      fc.nat(30_000),
      fc.integer({ min: 1, max: 400 }),
      async (price, promptTokens, cached, outputTokens) => {
        const model = paidModel('any', { price })
        const [asked, pool, knowledge] = argumentsOf({
          models: [model],
          measured: measured({ promptTokens, outputTokens }),
          conversation: { modelId: model.id, cachedTokens: cached },
        })
        const decision = decide(asked, pool, knowledge, 0, 0)
        const decided = decision.candidates[0]!.costUsd
        t.equal(decisionView(decision).candidates[0]!.estimated_cost_usd, decided)

        const cacheReadTokens = Math.min(cached, promptTokens)
        const usage = { ...noUsage, inputTokens: promptTokens - cacheReadTokens, cacheReadTokens, outputTokens }
        const recorder = openRequestRecorder({
          call: {
            requestId: `request-${count++}`,
            endpoint: 'chat',
            keyId: 'anonymous',
            signal: new AbortController().signal,
            receivedAt: 0,
          },
          request: { model: 'auto' },
          record: ledger.record,
          learner,
          energy: () => ({ localWatts: 0, energyPrice: 0 }),
          reference: () => undefined,
          corrections: { add: () => undefined, canCorrect: () => false },
          now: () => 0,
        })
        recorder.decided(decision, 0)
        const attempt = recorder.attemptStarted(model, promptTokens)
        attempt.completed({ usage: writeUsage(usage) })
        attempt.delivered()
        t.equal((await ledger.request(`request-${count - 1}`))?.request.cost_usd, decided)
      },
    ),
    { numRuns: 60, seed: 7 },
  )
})
