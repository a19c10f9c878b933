import fc from 'fast-check'
import t from 'tap'
import { contextOf, type DecisionContext } from '../../src/router/context.ts'
import {
  emptyEvidence,
  forget,
  learnBenchmark,
  learnOutcome,
  learnOutput,
  learnSpeed,
  type Evidence,
} from '../../src/router/evidence.ts'
import { createExpectations, expectationsOfFew } from '../../src/router/expectations.ts'
import { createKnowledge } from '../../src/router/knowledge.ts'
import { defaultPolicy } from '../../src/router/policy.ts'
import { localModel, measured, paidModel } from '../helpers/router-samples.ts'

const share = fc.double({ min: 0, max: 1, noNaN: true })
const kinds = ['chat', 'math', 'bug_fixing']
/** The first and the last are one model at two endpoints. */
const models = [
  localModel('qwen3:8b'),
  localModel('llama3.2:1b'),
  paidModel('openai/gpt-4o'),
  paidModel('stranger'),
  localModel('qwen3:8b', { id: 'ollama-2/qwen3:8b', provider: 'ollama-2' }),
]

const anyEvent = fc.record({
  what: fc.constantFrom('outcome', 'benchmark', 'speed', 'length', 'forget', 'many outcomes', 'nothing'),
  place: fc.nat(models.length - 1),
  kind: fc.constantFrom(...kinds),
  score: share,
  minutes: fc.integer({ min: -90, max: 5000 }),
  mix: fc.constantFrom<Record<string, number>[]>({ chat: 1 }, { math: 0.6, chat: 0.4 }, { bug_fixing: 0.9, math: 0.1 }),
  outputTokens: fc.option(fc.constantFrom(16, 1000), { nil: undefined }),
})

t.test('what is kept between decisions is what would be computed afresh', async t => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), events => {
      const evidence = emptyEvidence()
      const knowledge = createKnowledge(undefined, evidence, defaultPolicy, () => 1)
      const kept = createExpectations(models, knowledge.abilityOf, evidence)
      let now = 1e12
      for (const { what, place, kind, score, minutes, mix, outputTokens } of events) {
        now += minutes * 60_000
        learn(evidence, knowledge.abilityOf, { what, place, kind, score, now })
        const asked = { measured: measured({ categories: mix, outputTokens }), options: {} }
        const context: DecisionContext = contextOf(asked, knowledge, now)
        const { abilities, ...numbers } = kept(context)
        const { abilities: others, ...fresh } = expectationsOfFew(models, knowledge.abilityOf, context)
        t.strictSame(numbers, fresh)
        t.strictSame(
          abilities.map(({ key }) => key),
          others.map(({ key }) => key),
        )
      }
    }),
    { numRuns: 150 },
  )
})

function learn(
  evidence: Evidence,
  abilityOf: ReturnType<typeof createKnowledge>['abilityOf'],
  { what, place, kind, score, now }: { what: string; place: number; kind: string; score: number; now: number },
): void {
  const { id } = models[place]!
  const { key, prior } = abilityOf(models[place]!)
  const outcome = { model: key, categories: { [kind]: 1 }, signal: 'feedback', score, prior } as const
  if (what === 'outcome') learnOutcome(evidence, outcome, now)
  if (what === 'many outcomes') {
    for (let time = 0; time < 300; time++) learnOutcome(evidence, { ...outcome, signal: 'edited' }, now)
  }
  if (what === 'benchmark') learnBenchmark(evidence, key, kind, { score, runs: 2, tasks: 20 })
  if (what === 'length') learnOutput(evidence, key, kind, 1000 * score)
  if (what === 'forget') forget(evidence, { key, id })
  if (what === 'speed') {
    const timing = { promptTokens: 900, cachedTokens: 0, outputTokens: 100, firstTokenMs: 900 * score, streamMs: 2000 }
    learnSpeed(evidence, id, { ...timing, cold: score < 0.3 }, now)
  }
}
