import t from 'tap'
import { decide } from '../../src/router/decide.ts'
import { emptyEvidence, learnVerifier, type Evidence } from '../../src/router/evidence.ts'
import { explain } from '../../src/router/explain.ts'
import { recordOf } from '../../src/router/record.ts'
import { argumentsOf, localModel, measured, paidModel, teach, type Situation } from '../helpers/router-samples.ts'

const [cheap, expensive] = [localModel('small'), paidModel('big', { price: { input: 5, output: 20 } })]
const kind = { chat: 1 }

/** Both good enough, the dear one better. */
function situation(evidence: Evidence, changes: Partial<Situation> = {}): Situation {
  for (const category of ['chat', 'math']) {
    teach(evidence, cheap, 0.8, category)
    teach(evidence, expensive, 0.95, category)
  }
  return {
    models: [cheap, expensive],
    evidence,
    measured: measured({ categories: kind }),
    options: { verify: ['schema'] },
    ...changes,
  }
}

function said(evidence: Evidence, accepted: boolean, times: number, check = 'schema', now = 0): void {
  const place = { model: 'small', category: 'chat' }
  for (let time = 0; time < times; time++) learnVerifier(evidence, check, place, accepted, now)
}

const decided = (asked: Situation, now = 0, chance = 0.5) => decide(...argumentsOf(asked), now, chance)
const begins = (asked: Situation, now = 0) => decided(asked, now).ranked[0]?.id

t.test('a cascade starts with the cheap model until its answers fail too often', async t => {
  const evidence = emptyEvidence()
  const asked = situation(evidence)
  t.equal(begins(asked), cheap.id)
  said(evidence, false, 4)
  t.equal(begins(asked), cheap.id, 'four answers tell little')
  said(evidence, false, 4)
  t.equal(begins(asked), expensive.id)
  t.equal(begins({ ...asked, options: {} }), cheap.id, 'without checks nobody minds')
  t.equal(begins({ ...asked, options: { verify: ['not_empty'] } }), cheap.id, 'another check was not failed')
  t.equal(begins({ ...asked, measured: measured({ categories: { math: 1 } }) }), cheap.id, 'nor at other work')
  said(evidence, true, 40)
  t.equal(begins(asked), cheap.id, 'and it may become better')
})

t.test('the decision lists the skipped models, how often they passed and what would flip it', async t => {
  const evidence = emptyEvidence()
  said(evidence, false, 8)
  const decision = decided(situation(evidence))
  t.equal(decision.reason, 'cascade')
  const skipped = [{ model: cheap.id, check: 'schema', acceptRate: 0.1, answers: 8 }]
  t.strictSame(recordOf(decision).cascade, { checks: ['schema'], retryBudget: 1, skipped })
  const explanation = explain(decision)
  t.strictSame(explanation.cascade?.skipped, skipped)
  t.match(explanation.candidates[1], {
    model: cheap.id,
    lost_because: /pass schema only 10 %.*8 checked/,
    flip: /verify/,
  })
  t.equal(recordOf(decided(situation(evidence, { options: {} }))).cascade, null)
})

t.test('a bad record fades, and is tested again occasionally', async t => {
  const evidence = emptyEvidence()
  said(evidence, false, 6)
  const asked = situation(evidence)
  t.equal(begins(asked), expensive.id)
  t.equal(begins(asked, 60 * 86_400_000), cheap.id, 'after two months it is asked again')
  const exploring = { ...asked, policy: { explorationShare: 0.03 } }
  const decisions = Array.from({ length: 2_000 }, (_, index) => decided(exploring, 0, index / 2_000))
  const tried = decisions.filter(({ ranked }) => ranked[0]?.id === cheap.id)
  t.ok(tried.length > 10 && tried.length < 150, `${tried.length} of 2000`)
  t.ok(tried.every(({ rule, propensity }) => rule === 'explored' && propensity <= 0.03))
})

t.test('a model below the quality floor is not chosen for the sake of a cascade', async t => {
  const evidence = emptyEvidence()
  const asked = situation(evidence, { policy: { qualityThreshold: 0.9 } })
  said(evidence, true, 50)
  t.equal(begins(asked), expensive.id)
})

t.test('a judge affects the first model only once it is trusted', async t => {
  const evidence = emptyEvidence()
  const asked = situation(evidence, { options: { verify: ['judge:big'] } })
  said(evidence, false, 10, 'judge:big')
  t.equal(begins(asked), cheap.id)
  evidence.verifiers.set('judge:big', { accepted: 0, rejected: 10, agreed: 18, compared: 20 })
  t.equal(begins(asked), expensive.id)
  t.equal(begins({ ...asked, policy: { minValidatorScore: 0.95 } }), cheap.id)
})

t.test('a model that the caller named is called, however it performed', async t => {
  const evidence = emptyEvidence()
  said(evidence, false, 50)
  t.equal(begins(situation(evidence, { preset: cheap.id })), cheap.id)
})
