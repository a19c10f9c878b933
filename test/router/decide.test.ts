import fc from 'fast-check'
import t from 'tap'
import { decide, noModelError } from '../../src/router/decide.ts'
import { emptyEvidence, learnSpeed } from '../../src/router/evidence.ts'
import { explain } from '../../src/router/explain.ts'
import { margin } from '../../src/router/rank.ts'
import { recordOf } from '../../src/router/record.ts'
import {
  anySituation,
  argumentsOf,
  freeModel,
  localModel,
  measured,
  paidModel,
  teach,
  type Situation,
} from '../helpers/router-samples.ts'

const chosen = (situation: Situation, chance = 0.5) => decide(...argumentsOf(situation), 0, chance).ranked[0]?.id

t.test('the same arguments always give the same decision', async t => {
  fc.assert(
    fc.property(anySituation, situation => {
      const first = decide(...argumentsOf(situation), situation.now, situation.chance)
      const again = decide(...argumentsOf(situation), situation.now, situation.chance)
      t.strictSame(JSON.stringify(recordOf(again)), JSON.stringify(recordOf(first)))
    }),
    { numRuns: 2000 },
  )
})

t.test('a candidate below the quality floor is never chosen while one clearly above exists', async () => {
  fc.assert(
    fc.property(anySituation, situation => {
      const { candidates, floor, criteria } = decide(...argumentsOf(situation), situation.now, situation.chance)
      const [first, ...others] = candidates
      if (first === undefined) return true
      const required = criteria!.qualityFloor
      if (others.some(other => other.quality >= required + margin)) return first.quality >= required
      return first.quality >= floor
    }),
    { numRuns: 1000 },
  )
})

t.test('the chosen model obeys every limit of the request', async () => {
  fc.assert(
    fc.property(anySituation, situation => {
      const decision = decide(...argumentsOf(situation), situation.now, situation.chance)
      const { options = {}, policy = {}, preset } = situation
      return decision.ranked.every((model, index) => {
        const candidate = decision.candidates[index]!
        return (
          candidate.model === model.id &&
          situation.condition!(model).state === 'ready' &&
          (model.tier === 'local' || (options.localOnly !== true && preset !== 'local')) &&
          (model.free || (policy.freeOnly !== true && preset !== 'free')) &&
          (options.maxCostUsd === undefined || candidate.costUsd! <= options.maxCostUsd) &&
          !(situation.measured!.tools && model.capabilities.tools === false)
        )
      })
    }),
    { numRuns: 1000 },
  )
})

t.test('every candidate is either ranked or excluded with a reason', async () => {
  fc.assert(
    fc.property(anySituation, situation => {
      const { ranked, excluded, candidates } = decide(...argumentsOf(situation), situation.now, situation.chance)
      const all = [...ranked, ...excluded.map(({ model }) => model)]
      return (
        new Set(all).size === situation.models.length &&
        candidates.length === ranked.length &&
        excluded.every(({ exclusion }) => exclusion.reason !== '')
      )
    }),
    { numRuns: 1000 },
  )
})

t.test('a warm, idle, good enough local model always wins on cost', async () => {
  fc.assert(
    fc.property(anySituation, fc.double({ min: 0, max: 1, noNaN: true }), (situation, chance) => {
      const asked = { ...situation, preset: 'auto:cost', options: {} }
      const { candidates } = decide(...argumentsOf(asked), situation.now, chance)
      const ready = candidates.filter(
        ({ step, adequate, waitSeconds }) => step === 'local' && adequate && waitSeconds === 0,
      )
      const [first] = candidates
      return ready.length === 0 || (first!.step === 'local' && first!.waitSeconds === 0 && first!.adequate)
    }),
    { numRuns: 1000 },
  )
})

t.test('a request for a named model is served by that model or not at all', async () => {
  fc.assert(
    fc.property(anySituation, fc.nat(), (situation, index) => {
      const named = situation.models[index % Math.max(1, situation.models.length)]
      if (named === undefined) return true
      const asked = { ...situation, preset: named.id }
      const { ranked } = decide(...argumentsOf(asked), situation.now, situation.chance)
      return ranked.every(({ id }) => id === named.id)
    }),
    { numRuns: 1000 },
  )
})

t.test('decide does not change its arguments', async t => {
  fc.assert(
    fc.property(anySituation, situation => {
      const [asked, candidates, knowledge] = argumentsOf(situation)
      const seen = () => structuredClone({ asked, models: situation.models, evidence: knowledge.evidence })
      const before = seen()
      const first = decide(asked, candidates, knowledge, situation.now, situation.chance)
      const second = decide(asked, candidates, knowledge, situation.now, situation.chance)
      t.strictSame(seen(), before)
      t.equal(JSON.stringify(recordOf(first)), JSON.stringify(recordOf(second)))
    }),
    { numRuns: 1000 },
  )
})

t.test('a model that the caller named is never replaced', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('good'), paidModel('poor')]
  teach(evidence, models[0]!, 1)
  teach(evidence, models[1]!, 0)
  const decision = decide(...argumentsOf({ models, evidence, preset: 'openrouter/poor' }), 0, 0)
  t.strictSame(
    decision.ranked.map(model => model.id),
    ['openrouter/poor'],
  )
  t.equal(decision.reason, 'explicit')
})

t.test('among good enough models local comes first, then free, then paid', async t => {
  const evidence = emptyEvidence()
  const models = [paidModel('big'), freeModel('gift:free'), localModel('small')]
  for (const model of models) teach(evidence, model, 0.9)
  const decision = decide(...argumentsOf({ models, evidence }), 0, 0)
  t.strictSame(
    decision.ranked.map(model => model.id),
    ['ollama/small', 'openrouter/gift:free', 'openrouter/big'],
  )
})

t.test('QUALITY_THRESHOLD decides whether a weak local model is good enough', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('weak'), paidModel('big')]
  teach(evidence, models[0]!, 0.6)
  teach(evidence, models[1]!, 0.9)
  t.equal(chosen({ models, evidence }), 'openrouter/big')
  t.equal(chosen({ models, evidence, policy: { qualityThreshold: 0.5 } }), 'ollama/weak')
  t.equal(chosen({ models, evidence, options: { minQuality: 0.5 } }), 'ollama/weak')
})

t.test('TOKEN_THRESHOLD: a small request does not wait for a cold local model, a large one does', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('cold', { loaded: false }), paidModel('big')]
  for (const model of models) teach(evidence, model, 0.9)
  const small = { models, evidence, measured: measured({ promptTokens: 1_500 }) }
  t.equal(chosen(small), 'openrouter/big')
  t.equal(chosen({ ...small, measured: measured({ promptTokens: 1_501 }) }), 'ollama/cold')
  t.equal(chosen({ ...small, policy: { tokenThreshold: 1_499 } }), 'ollama/cold')
})

t.test('COST_THRESHOLD: an expensive request waits for a cold local model', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('cold', { loaded: false }), paidModel('big', { price: { input: 10, output: 40 } })]
  for (const model of models) teach(evidence, model, 0.9)
  const request = { models, evidence, measured: measured({ promptTokens: 1_000 }) }
  t.equal(chosen(request), 'ollama/cold', 'ten dollars a million make it more than two cents')
  t.equal(chosen({ ...request, policy: { costThresholdUsd: 0.1 } }), 'openrouter/big')
})

t.test('auto does not wait long for a local answer, auto:cost waits for what costs least', async t => {
  const long = measured({ promptTokens: 15_000 })
  const models = [localModel('small'), paidModel('big', { price: { input: 0.1, output: 0.4 } })]
  const chosen = (preset: string, changes: Partial<Situation> = {}) =>
    decide(...argumentsOf({ models, preset, measured: long, policy: { qualityThreshold: 0 }, ...changes }), 0, 0.5)
  t.equal(chosen('auto').ranked[0]?.name, 'big', 'reading 15,000 tokens takes a local model half a minute')
  t.equal(chosen('auto:cost').ranked[0]?.name, 'small')
  const expensive = [localModel('small'), paidModel('big', { price: { input: 10, output: 40 } })]
  t.equal(
    chosen('auto', { models: expensive }).ranked[0]?.name,
    'small',
    'where time would cost more than COST_THRESHOLD',
  )
  const cold = [localModel('small', { loaded: false }), models[1]!]
  t.equal(chosen('auto', { models: cold, measured: measured() }).ranked[0]?.name, 'big')
  t.equal(chosen('auto:cost', { models: cold, measured: measured() }).ranked[0]?.name, 'small')
})

t.test('a queue counts as not ready', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('busy'), paidModel('big')]
  for (const model of models) teach(evidence, model, 0.9)
  const load = () => ({ busy: 1, waiting: 2, slots: 1 })
  t.equal(chosen({ models, evidence }), 'ollama/busy')
  t.equal(
    chosen({ models, evidence, load: model => (model.tier === 'local' ? load() : { busy: 0, waiting: 0, slots: 5 }) }),
    'openrouter/big',
  )
})

t.test('RELIABLE_BENCHMARK_COUNT sets the weight of one benchmark run', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('praised', { parametersB: 1 }), paidModel('big')]
  teach(evidence, models[1]!, 0.9)
  evidence.benchmarks.set('praised', new Map([['chat', { score: 1, runs: 1, tasks: 30 }]]))
  const quality = (reliableBenchmarkCount: number) =>
    decide(...argumentsOf({ models, evidence, policy: { reliableBenchmarkCount } }), 0, 0).candidates.find(
      ({ step }) => step === 'local',
    )!.quality
  t.ok(quality(1) > quality(3))
  t.ok(quality(3) > quality(100))
})

t.test('OPENROUTER_FREE_ONLY, max_cost and local_only limit the cost', async t => {
  const models = [paidModel('big')]
  t.match(decide(...argumentsOf({ models, policy: { freeOnly: true } }), 0, 0).excluded, [
    { exclusion: { code: 'policy' } },
  ])
  t.match(decide(...argumentsOf({ models, options: { maxCostUsd: 0.0001 } }), 0, 0).excluded, [
    { exclusion: { code: 'budget' } },
  ])
  t.match(decide(...argumentsOf({ models, options: { localOnly: true } }), 0, 0).excluded, [
    { exclusion: { code: 'policy' } },
  ])
  const unpriced = [paidModel('unknown', { price: undefined })]
  t.match(decide(...argumentsOf({ models: unpriced, options: { maxCostUsd: 1 } }), 0, 0).excluded, [
    { exclusion: { code: 'budget', reason: /no known price/ } },
  ])
})

t.test('DEFAULT_LOCAL_MODEL comes first among local models of similar quality', async t => {
  const models = [localModel('alpha'), localModel('beta')]
  t.equal(chosen({ models }), 'ollama/alpha')
  t.equal(chosen({ models, policy: { defaultLocalModel: 'beta' } }), 'ollama/beta')
  t.equal(chosen({ models, policy: { defaultLocalModel: 'ollama/beta' } }), 'ollama/beta')
})

t.test('LOCAL_WATTS and ENERGY_PRICE give local models the cost of their power', async t => {
  const [local] = [localModel('small')]
  const cost = (policy: Situation['policy']) =>
    decide(...argumentsOf({ models: [local], policy: policy! }), 0, 0).candidates[0]!.costUsd
  t.equal(cost({}), 0)
  t.equal(cost({ localWatts: 300 }), 0)
  const expensive = cost({ localWatts: 300, energyPrice: 0.4 })!
  t.ok(expensive > 0 && expensive < 0.01)
  t.equal(
    chosen({ models: [local], policy: { localWatts: 300, energyPrice: 0.4 }, options: { maxCostUsd: expensive / 2 } }),
    undefined,
  )
})

t.test('priority speed chooses the fast model, priority quality the good one', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('slow'), paidModel('quick'), paidModel('deep', { price: { input: 5, output: 20 } })]
  teach(evidence, models[0]!, 0.8)
  teach(evidence, models[1]!, 0.8)
  teach(evidence, models[2]!, 1)
  const seen = {
    promptTokens: 100,
    cachedTokens: 0,
    outputTokens: 400,
    firstTokenMs: 2_000,
    streamMs: 40_000,
    cold: false,
  }
  learnSpeed(evidence, 'openrouter/deep', seen, 0)
  t.equal(chosen({ models, evidence, preset: 'auto:speed' }), 'openrouter/quick')
  t.equal(chosen({ models, evidence, preset: 'auto:quality' }), 'openrouter/deep')
  t.equal(chosen({ models, evidence, options: { priority: 'quality' } }), 'openrouter/deep')
})

t.test('a conversation stays with the model that caches it until another one is cheaper', async t => {
  const evidence = emptyEvidence()
  const cached = { input: 1, output: 4, cacheRead: 0.1 }
  const models = [paidModel('a', { price: cached }), paidModel('b', { price: { input: 0.9, output: 3.6 } })]
  for (const model of models) teach(evidence, model, 0.9)
  const long = { models, evidence, measured: measured({ promptTokens: 60_000 }) }
  t.equal(chosen(long), 'openrouter/b')
  const conversation = { modelId: 'openrouter/a', cachedTokens: 59_000 }
  t.equal(chosen({ ...long, conversation }), 'openrouter/a')
  teach(evidence, models[0]!, 0.2)
  t.equal(chosen({ ...long, conversation }), 'openrouter/b', 'it got bad')
})

t.test('of two endpoints of one model the warm one is chosen, else the less busy one', async t => {
  const here = localModel('same', { id: 'ollama/same', loaded: false })
  const there = localModel('same', { id: 'ollama-2/same', provider: 'ollama-2' })
  for (const chance of [0, 0.3, 0.6, 0.9]) t.equal(chosen({ models: [here, there] }, chance), 'ollama-2/same')
  const warm = { ...here, loaded: true }
  const load = (model: { id: string }) => ({ busy: model.id === 'ollama-2/same' ? 2 : 0, waiting: 0, slots: 1 })
  for (const chance of [0, 0.3, 0.6, 0.9]) t.equal(chosen({ models: [warm, there], load }, chance), 'ollama/same')
})

t.test('exploration is as rare as configured, never below the floor and never with a budget', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('alpha', { parametersB: 9 }), localModel('beta'), localModel('poor')]
  teach(evidence, models[0]!, 0.9)
  teach(evidence, models[1]!, 0.8)
  teach(evidence, models[2]!, 0.1)
  const policy = { explorationShare: 0.03 }
  const decisions = Array.from({ length: 4_000 }, (_, index) =>
    decide(...argumentsOf({ models, evidence, policy }), 0, index / 4_000),
  )
  const explored = decisions.filter(({ rule }) => rule === 'explored')
  t.ok(explored.length > 60 && explored.length < 190, `${explored.length} of 4,000`)
  t.ok(explored.every(({ ranked, propensity }) => ranked[0]!.id === 'ollama/beta' && propensity === 0.03))
  t.ok(decisions.every(({ rule, propensity }) => rule === 'explored' || propensity === 0.97))
  for (const options of [{ maxCostUsd: 1 }, { minQuality: 0.5 }]) {
    const careful = Array.from({ length: 500 }, (_, index) =>
      decide(...argumentsOf({ models, evidence, policy, options }), 0, index / 500),
    )
    t.ok(careful.every(({ rule, propensity }) => rule === 'best' && propensity === 1))
  }
})

t.test('if no model reaches the floor the best ones are chosen, and the decision says so', async t => {
  const evidence = emptyEvidence()
  const models = [localModel('poor'), paidModel('better')]
  teach(evidence, models[0]!, 0.2)
  teach(evidence, models[1]!, 0.5)
  const decision = decide(...argumentsOf({ models, evidence }), 0, 0)
  t.equal(decision.ranked[0]!.id, 'openrouter/better')
  t.ok(decision.floor < 0.7)
  t.match(explain(decision).summary, /no model is clearly above the requested quality/)
})

t.test('without candidates the decision is empty, explained and rejected', async t => {
  const decision = decide(...argumentsOf({ models: [] }), 0, 0)
  t.match(decision, { ranked: [], excluded: [], reason: 'none', criteria: undefined })
  t.match(explain(decision), { chosen: undefined, candidates: [], summary: /^No model can serve/ })
  t.equal(noModelError(decision, 0).code, 'no_backend')
})
