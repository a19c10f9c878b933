import fc from 'fast-check'
import t from 'tap'
import { decide } from '../../src/router/decide.ts'
import { emptyEvidence } from '../../src/router/evidence.ts'
import { standardPolicy } from '../../src/router/policy.ts'
import { recordOf, type DecisionRecord } from '../../src/router/record.ts'
import { frontierSvg } from '../../src/router/replay/frontier-svg.ts'
import { always, createReplay, decideAgain } from '../../src/router/replay/replay.ts'
import { anySituation, argumentsOf, localModel, paidModel, teach } from '../helpers/router-samples.ts'

t.test('a stored decision, taken again under the same policy, is the same', async () => {
  fc.assert(
    fc.property(anySituation, situation => {
      const decision = decide(...argumentsOf(situation), situation.now, situation.chance)
      const stored = JSON.parse(JSON.stringify(recordOf(decision))) as DecisionRecord
      const policy = { ...standardPolicy, explorationShare: 0, ...situation.policy }
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

t.test('a stricter policy costs more and is better; what happened counts for what was predicted', async t => {
  const run = (name: string, choose: Parameters<typeof createReplay>[1], score: number | null = null) => {
    const replay = createReplay(name, choose)
    for (let time = 0; time < 10; time++) replay.add({ decision: stored, model: 'ollama/small', costUsd: 0, score })
    return replay.result()
  }
  const asItWas = run('as decided', record => record.standings[0], 0.5)
  const strict = run('strict', record => decideAgain(record, standardPolicy, { qualityThreshold: 0.9 }), 0.5)
  const big = run('always big', always('openrouter/big'))
  t.match(asItWas, { requests: 10, costUsd: 0, quality: 0.5, judged: 1, models: { 'ollama/small': 10 } })
  t.match(strict, { judged: 0, models: { 'openrouter/big': 10 } })
  t.ok(strict.costUsd > 0 && strict.quality > 0.8)
  t.equal(strict.costUsd, big.costUsd)
  t.match(run('always nobody', always('nobody')), { unserved: 10, quality: 0 })
})

t.test('limits of a policy hold in a replay', async t => {
  t.equal(decideAgain(stored, standardPolicy, { priority: 'quality' })?.model, 'openrouter/big')
  t.equal(decideAgain(stored, standardPolicy, { priority: 'quality', localOnly: true })?.model, 'ollama/small')
  t.equal(decideAgain(stored, standardPolicy, { priority: 'quality', freeOnly: true })?.model, 'ollama/small')
  t.equal(decideAgain(stored, standardPolicy, { priority: 'quality', maxCostUsd: 0.0001 })?.model, 'ollama/small')
})

t.test('the frontier is a picture with every policy in it, whatever they are called', async t => {
  const point = (name: string, costUsd: number, quality: number) => ({
    name,
    requests: 1,
    unserved: 0,
    costUsd,
    quality,
    judged: 0,
    seconds: 1,
    models: {},
  })
  const svg = frontierSvg([point('as decided', 1, 0.8), point('always <b> & "c"', 3, 0.9)], [{ cost: 3, quality: 0.9 }])
  t.match(svg, /^<svg [\s\S]*<\/svg>\n$/)
  t.match(svg, 'as decided')
  t.match(svg, 'always &lt;b> &amp; &quot;c&quot;')
  t.notMatch(svg, /NaN|Infinity|undefined/)
  t.notMatch(frontierSvg([point('one', 0, 0)], []), /NaN|Infinity/)
})
