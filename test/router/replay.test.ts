import fc from 'fast-check'
import t from 'tap'
import type { CheckedBy, Verification } from '../../src/router/cascade.ts'
import { decide } from '../../src/router/decide.ts'
import { emptyEvidence } from '../../src/router/evidence.ts'
import { defaultPolicy } from '../../src/router/policy.ts'
import { recordOf, type DecisionRecord } from '../../src/router/record.ts'
import { frontierSvg } from '../../src/router/replay/frontier-svg.ts'
import { outcomesOf } from '../../src/router/replay/outcomes.ts'
import { always, asItWas, createReplay, decideAgain, type Choose } from '../../src/router/replay/replay.ts'
import { anySituation, argumentsOf, localModel, paidModel, teach } from '../helpers/router-samples.ts'

t.test('replaying a stored decision under the same policy gives the same decision', async () => {
  fc.assert(
    fc.property(anySituation, situation => {
      const decision = decide(...argumentsOf(situation), situation.now, situation.chance)
      const stored = JSON.parse(JSON.stringify(recordOf(decision))) as DecisionRecord
      const policy = { ...defaultPolicy, explorationShare: 0, ...situation.policy }
      return decideAgain(stored, policy, {})?.model === decision.ranked[0]?.id
    }),
    { numRuns: 1000 },
  )
})

const evidence = emptyEvidence()
const models = [localModel('small'), paidModel('big')]
teach(evidence, models[0]!, 0.75)
teach(evidence, models[1]!, 0.95)
const stored = recordOf(decide(...argumentsOf({ models, evidence }), 0, 0.5))

t.test('a stricter policy costs more and is better; recorded outcomes replace predictions', async t => {
  const run = (name: string, choose: Choose) => {
    const replay = createReplay(name, choose)
    const outcomes = { 'ollama/small': { score: 0.5, by: 'rating' as const } }
    for (let time = 0; time < 10; time++) {
      replay.add({ decision: stored, model: 'ollama/small', costUsd: 0.001, outcomes: time < 4 ? {} : outcomes })
    }
    return replay.result()
  }
  const kept = run('as decided', asItWas)
  const strict = run('strict', record => decideAgain(record, defaultPolicy, { qualityThreshold: 0.9 }))
  const big = run('always big', always('openrouter/big'))
  t.match(kept, { requests: 10, charged: 10, rated: 6, predicted: 4, models: { 'ollama/small': 10 } })
  t.ok(Math.abs(kept.costUsd - 0.01) < 1e-12, 'what was charged, not what was expected')
  t.ok(Math.abs(kept.quality - (6 * 0.5 + 4 * stored.candidates[0]!.quality) / 10) < 1e-12)
  t.match(strict, { charged: 0, rated: 0, predicted: 10, models: { 'openrouter/big': 10 } })
  t.ok(strict.costUsd > kept.costUsd && strict.quality > 0.8)
  t.equal(strict.costUsd, big.costUsd)
  t.match(run('always nobody', always('nobody')), { unserved: 10, quality: 0 })
})

t.test('if the first choice failed, the recorded outcome is the fallback’s', async t => {
  const replay = createReplay('as decided', asItWas)
  const outcomes = { 'openrouter/big': { score: 1, by: 'rating' as const } }
  replay.add({ decision: stored, model: 'openrouter/big', costUsd: 0.02, outcomes })
  t.match(replay.result(), { costUsd: 0.02, quality: 1, rated: 1, models: { 'openrouter/big': 1 } })
})

t.test(
  'the quality of an answer comes from its rating, else from tests or a failed check, else it is unknown',
  async t => {
    const checked = (...answers: [model: string, verdicts: Record<string, boolean>][]) => ({
      verification: {
        checks: ['parses'],
        passed: true,
        answers: answers.map(([model, verdicts]) => ({
          model,
          verdicts: Object.entries(verdicts).map(([verifier, accepted]): CheckedBy => ({
            verifier,
            verdict: accepted ? { accepted } : { accepted: false, why: 'it is wrong' },
            binding: !verifier.startsWith('judge:'),
          })),
        })),
      } satisfies Verification,
    })
    t.strictSame(outcomesOf({}, 'a', null), {})
    t.strictSame(outcomesOf({}, null, 0.7), {})
    t.strictSame(outcomesOf({}, 'a', 0.7), { a: { score: 0.7, by: 'rating' } })
    const escalated = checked(['a', { parses: true, schema: false }], ['b', { parses: true, 'tests:unit': true }])
    t.strictSame(outcomesOf(escalated, 'b', null), { a: { score: 0, by: 'checks' }, b: { score: 1, by: 'checks' } })
    t.strictSame(outcomesOf(escalated, 'b', 0.2), { a: { score: 0, by: 'checks' }, b: { score: 0.2, by: 'rating' } })
    t.strictSame(outcomesOf(checked(['a', { parses: true }]), 'a', null), {}, 'a pass proves little')
    t.strictSame(outcomesOf(checked(['a', { 'judge:big': false }]), 'a', null), {}, 'a judge that does not count yet')
  },
)

t.test('limits of a policy apply in a replay', async t => {
  t.equal(decideAgain(stored, defaultPolicy, { priority: 'quality' })?.model, 'openrouter/big')
  t.equal(decideAgain(stored, defaultPolicy, { priority: 'quality', localOnly: true })?.model, 'ollama/small')
  t.equal(decideAgain(stored, defaultPolicy, { priority: 'quality', freeOnly: true })?.model, 'ollama/small')
  t.equal(decideAgain(stored, defaultPolicy, { priority: 'quality', maxCostUsd: 0.0001 })?.model, 'ollama/small')
})

t.test('a request for a named model is unchanged under every policy', async t => {
  const named = recordOf(decide(...argumentsOf({ models, evidence, preset: 'ollama/small' }), 0, 0.5))
  t.equal(decideAgain(named, defaultPolicy, { qualityThreshold: 1 })?.model, 'ollama/small')
  t.equal(always('openrouter/big')(named, null)?.model, 'ollama/small')
})

t.test('the frontier is an SVG of every policy, whatever their names', async t => {
  const point = (name: string, costUsd: number, quality: number) => ({
    name,
    requests: 1,
    unserved: 0,
    costUsd,
    charged: 0,
    quality,
    rated: 0,
    checked: 0,
    predicted: 1,
    seconds: 1,
    models: {},
  })
  const svg = frontierSvg([point('as decided', 1, 0.8), point('always <b> & "c"', 3, 0.9)], [{ cost: 3, quality: 0.9 }])
  t.match(svg, /^<svg [\s\S]*<\/svg>\n$/)
  t.match(svg, 'as decided')
  t.match(svg, />\$1<[\s\S]*>\$2<[\s\S]*>\$3</, 'round numbers on the axis')
  t.match(svg, 'always &#60;b&#62; &#38; &#34;c&#34;')
  t.notMatch(svg, /NaN|Infinity|undefined/)
  t.notMatch(frontierSvg([point('one', 0, 0)], []), /NaN|Infinity/)
})
