import fc from 'fast-check'
import t from 'tap'
import { decide } from '../../src/router/decide.ts'
import { emptyEvidence } from '../../src/router/evidence.ts'
import { explain } from '../../src/router/explain.ts'
import {
  anySituation,
  argumentsOf,
  freeModel,
  localModel,
  measured,
  paidModel,
  teach,
} from '../helpers/router-samples.ts'

t.test('every candidate not chosen has a reason and a change that would flip the decision', async t => {
  fc.assert(
    fc.property(anySituation, situation => {
      const explanation = explain(decide(...argumentsOf(situation), situation.now, situation.chance))
      const [, ...losers] = explanation.candidates
      t.ok(losers.every(({ lost_because, flip }) => lost_because !== '' && flip !== ''))
      t.ok(explanation.excluded.every(({ reason, flip }) => reason !== '' && flip !== ''))
      t.ok(explanation.candidates.every(({ quality, low, high }) => low <= quality && quality <= high))
    }),
    { numRuns: 300 },
  )
})

t.test('the reasons are the rules of the ranking', async t => {
  const evidence = emptyEvidence()
  const models = [
    localModel('warm'),
    localModel('cold', { loaded: false }),
    localModel('weak'),
    freeModel('gift:free'),
    paidModel('blind', { capabilities: { vision: false } }),
  ]
  for (const model of models) teach(evidence, model, model.name === 'weak' ? 0.3 : 0.9)
  const explanation = explain(decide(...argumentsOf({ models, evidence, measured: measured({ vision: true }) }), 0, 0))
  const lost = (model: string) => explanation.candidates.find(each => each.model === model)!.lost_because
  t.equal(explanation.chosen, 'ollama/warm')
  t.match(explanation.summary, /^ollama\/warm \(local-loaded\): quality \d\d %/)
  t.match(lost('ollama/cold'), /not ready/)
  t.match(lost('ollama/weak'), /below the floor of 70 %/)
  t.match(lost('openrouter/gift:free'), /local goes before free/)
  t.match(explanation.excluded, [{ model: 'openrouter/blind', code: 'vision', flip: 'send no images' }])
})

t.test('lowering the quality floor to the stated value flips the decision', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('weak'), paidModel('big')]
  teach(evidence, models[0]!, 0.55)
  teach(evidence, models[1]!, 0.9)
  const explanation = explain(decide(...argumentsOf({ models, evidence }), 0, 0))
  const { flip } = explanation.candidates.find(({ model }) => model === 'ollama/weak')!
  const most = Number(/at most ([\d.]+)/.exec(flip)?.[1])
  const again = decide(...argumentsOf({ models, evidence, options: { minQuality: most - 0.001 } }), 0, 0)
  t.equal(again.ranked[0]!.id, 'ollama/weak')
})
