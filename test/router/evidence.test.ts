import fc from 'fast-check'
import t from 'tap'
import { estimate, initialPriorTrust, observe, reconsider, trustIn, type Prior } from '../../src/router/beliefs.ts'
import {
  anyCategory,
  emptyEvidence,
  evidenceFrom,
  learnAgreement,
  learnBenchmark,
  learnOutcome,
  learnOutput,
  learnSpeed,
  learnVerifier,
  rowsOf,
  type Evidence,
  type EvidenceRow,
  type Signal,
} from '../../src/router/evidence.ts'
import type { Kind } from '../../src/router/context.ts'
import { createKnowledge } from '../../src/router/knowledge.ts'
import { defaultPolicy } from '../../src/router/policy.ts'
import { predictQuality } from '../../src/router/predict.ts'
import { localModel, measured } from '../helpers/router-samples.ts'

/** What a prediction needs, for a prompt of these kinds whose text makes it so much easier. */
function predicting(evidence: Evidence, kinds: readonly Kind[], now: number, level = 0) {
  return {
    measured: measured({ effect: { level, slope: 0, skills: [] } }),
    kinds,
    referenceAbility: 0,
    evidence,
    priorTrust: trustIn(evidence.priorTrust),
    policy: defaultPolicy,
    now,
  }
}

const share = fc.double({ min: 0, max: 1, noNaN: true })
const day = 86_400_000
const prior: Prior = { rate: 0.8, base: 0.5, strength: 4 }

t.test('more evidence never makes an interval wider', async () => {
  fc.assert(
    fc.property(
      fc.array(share, { maxLength: 300 }),
      share,
      fc.double({ min: 0.1, max: 2, noNaN: true }),
      (scores, last, weight) => {
        let belief
        for (const score of scores) belief = observe(belief, score, 1, 0)
        const before = estimate(belief, prior, 1, 0).plusMinus
        return estimate(observe(belief, last, weight, 0), prior, 1, 0).plusMinus <= before
      },
    ),
  )
})

t.test('whatever is learned, no interval of any prediction gets wider', async t => {
  const kinds = ['math', 'chat', 'bug_fixing']
  const lesson = fc.record({
    model: fc.constantFrom('stranger', 'other'),
    kind: fc.constantFrom(...kinds, anyCategory),
    signal: fc.constantFrom<Signal>('feedback', 'verified', 'tests', 'edited', 'escalated'),
    score: share,
    runs: fc.constantFrom(0, 0, 1, 3),
    hours: fc.nat(400),
  })
  fc.assert(
    fc.property(
      fc.array(lesson, { maxLength: 60 }),
      fc.double({ min: -0.3, max: 0.3, noNaN: true }),
      (lessons, level) => {
        const evidence = emptyEvidence()
        const { abilityOf } = createKnowledge(undefined, evidence, defaultPolicy, () => 1)
        const runs = new Map<string, number>()
        let now = 0
        const widths = () =>
          ['stranger', 'other'].flatMap(name =>
            [
              kinds.map(category => ({ category, share: 1 / 3 })),
              ...kinds.map(category => [{ category, share: 1 }]),
            ].map(mix => predictQuality(predicting(evidence, mix, now, level), abilityOf(localModel(name))).plusMinus),
          )
        for (const { model, kind, signal, score, runs: more, hours } of lessons) {
          // Time alone makes the past less certain; what is learned at one moment must not.
          now += hours * 3_600_000
          const before = widths()
          const { key, prior } = abilityOf(localModel(model))
          if (more === 0) learnOutcome(evidence, { model: key, categories: { [kind]: 1 }, signal, score, prior }, now)
          else {
            runs.set(`${key} ${kind}`, (runs.get(`${key} ${kind}`) ?? 0) + more)
            learnBenchmark(evidence, key, kind, {
              score,
              runs: runs.get(`${key} ${kind}`)!,
              tasks: runs.get(`${key} ${kind}`)!,
            })
          }
          t.ok(widths().every((width, index) => width <= before[index]! + 1e-12))
        }
      },
    ),
    { numRuns: 150 },
  )
})

t.test('a benchmark result narrows the interval of a model nobody measured', async t => {
  const evidence = emptyEvidence()
  const { abilityOf } = createKnowledge(undefined, evidence, defaultPolicy, () => 1)
  const ability = abilityOf(localModel('stranger'))
  const quality = () => predictQuality(predicting(evidence, [{ category: 'math', share: 1 }], 0), ability)
  const before = quality()
  learnBenchmark(evidence, ability.key, 'math', { score: 1, runs: 1, tasks: 30 })
  const once = quality()
  learnBenchmark(evidence, ability.key, 'math', { score: 1, runs: 3, tasks: 30 })
  const thrice = quality()
  t.ok(before.plusMinus > once.plusMinus && once.plusMinus > thrice.plusMinus)
  t.ok(before.quality < once.quality && once.quality < thrice.quality)
  t.ok(thrice.quality > 0.85, `${thrice.quality}`)
})

t.test('counts are capped, so that a model that changed is noticed within a few hundred answers', async t => {
  let belief
  for (let time = 0; time < 10_000; time++) belief = observe(belief, 1, 1, 0)
  for (let time = 0; time < 300; time++) belief = observe(belief, 0, 1, 0)
  t.ok(estimate(belief, prior, 1, 0).mean < 0.3)
})

t.test('old observations fade to the prior', async t => {
  let belief
  for (let time = 0; time < 100; time++) belief = observe(belief, 0, 1, 0)
  t.ok(estimate(belief, prior, 1, 0).mean < 0.1)
  t.ok(estimate(belief, prior, 1, 365 * day).mean > 0.75)
  t.ok(estimate(belief, prior, 1, 365 * day).plusMinus > estimate(belief, prior, 1, 0).plusMinus)
})

t.test('priors that foretell badly lose their say, and then models are alike', async t => {
  let priorTrust = initialPriorTrust
  for (let time = 0; time < 20; time++) priorTrust = reconsider(priorTrust, prior, 0)
  t.ok(Math.abs(estimate(undefined, prior, trustIn(priorTrust), 0).mean - prior.base) < 0.02)
  for (let time = 0; time < 60; time++) priorTrust = reconsider(priorTrust, prior, 1)
  t.ok(estimate(undefined, prior, trustIn(priorTrust), 0).mean > 0.75)
})

t.test('one outcome is shared among the likely kinds, and its rows are enough to restore the store', async t => {
  const evidence = emptyEvidence()
  const kept = new Map<string, EvidenceRow>()
  const keep = (rows: EvidenceRow[]) => {
    for (const row of rows) kept.set(`${row.kind} ${row.subject} ${row.category}`, structuredClone(row))
  }
  const timing = {
    promptTokens: 1_000,
    cachedTokens: 0,
    outputTokens: 200,
    firstTokenMs: 500,
    streamMs: 4_000,
    cold: false,
  }
  keep(
    learnOutcome(
      evidence,
      { model: 'a', categories: { math: 0.75, chat: 0.25 }, signal: 'feedback', score: 1, prior: () => prior },
      5,
    ),
  )
  keep(learnBenchmark(evidence, 'a', '*', { score: 0.5, runs: 2, tasks: 30 }))
  keep(learnSpeed(evidence, 'ollama/a', timing, 5))
  keep(learnOutput(evidence, 'a', 'math', 300))
  keep(learnVerifier(evidence, 'parses', { model: 'a', category: 'math' }, true, 5))
  keep(learnAgreement(evidence, 'parses', true))
  t.match(evidence.verifiers.get('parses'), { accepted: 1, rejected: 0, agreed: 1, compared: 1 })
  t.match(evidence.beliefs.get('a')?.get('math'), { good: 0.75, count: 0.75 })
  t.match(evidence.speeds.get('ollama/a'), {
    firstTokenMs: 500,
    promptTokensPerSecond: 2_000,
    outputTokensPerSecond: 50,
  })
  const stored = JSON.parse(JSON.stringify([...kept.values()])) as EvidenceRow[]
  const { changes: _changes, ...learned } = evidence
  for (const rows of [stored, rowsOf(evidence)]) {
    const { changes: _none, ...restored } = evidenceFrom(rows)
    t.strictSame(restored, learned)
  }
})

t.test('a signal weighs what it is worth: feedback more than an edit, and only feedback moves prior trust', async t => {
  const moved = (signal: 'feedback' | 'edited') => {
    const evidence = emptyEvidence()
    learnOutcome(evidence, { model: 'a', categories: { chat: 1 }, signal, score: 0, prior: () => prior }, 0)
    return { count: evidence.beliefs.get('a')!.get('chat')!.count, priorTrust: evidence.priorTrust }
  }
  t.ok(moved('feedback').count > moved('edited').count)
  t.ok(moved('feedback').priorTrust < initialPriorTrust)
  t.equal(moved('edited').priorTrust, initialPriorTrust)
})

t.test('a slow answer raises the peak at once, quick ones lower it slowly, a load counts apart', async t => {
  const evidence = emptyEvidence()
  const answer = (firstTokenMs: number, now: number, cold = false) =>
    learnSpeed(
      evidence,
      'm',
      { promptTokens: 10, cachedTokens: 0, outputTokens: 1, firstTokenMs, streamMs: 1, cold },
      now,
    )
  answer(100, 0)
  answer(5_000, 0)
  t.equal(evidence.speeds.get('m')!.peakMs, 5_000)
  answer(100, 30_000)
  t.ok(evidence.speeds.get('m')!.peakMs <= 2_500)
  answer(40_000, 31_000, true)
  t.match(evidence.speeds.get('m'), { loadMs: 40_000 })
  t.ok(evidence.speeds.get('m')!.firstTokenMs < 2_000)
})

t.test('another digest is another model, another endpoint is not', async t => {
  const { abilityOf } = createKnowledge(undefined, emptyEvidence(), defaultPolicy, () => 1)
  const model = localModel('qwen3:8b', { digest: 'sha256:1' })
  t.equal(abilityOf(model).key, abilityOf({ ...model, id: 'ollama-2/qwen3:8b', provider: 'ollama-2' }).key)
  t.not(abilityOf(model).key, abilityOf({ ...model, digest: 'sha256:2' }).key)
})
