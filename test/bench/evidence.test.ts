import t from 'tap'
import { currentResults, drift, evidence, pairedDifference, strategyIsBetter } from '../../src/bench/evidence.ts'
import { openResults, planOf, settingsText, type BenchmarkResult } from '../../src/bench/results.ts'
import { suites } from '../../src/bench/suites/index.ts'
import { seeded } from './seeded.ts'

const blank: BenchmarkResult = {
  run: 'r1',
  provider: 'here',
  model: 'm',
  digest: 'one',
  quantization: null,
  contextTokens: null,
  settings: '{}',
  suite: 'sql',
  suiteVersion: 1,
  task: 'sql/a',
  difficulty: 'easy',
  repetition: 1,
  predicted: null,
  passed: true,
  reason: null,
  promptTokens: 10,
  completionTokens: 5,
  costUsd: 0,
  firstTokenMs: 20,
  totalMs: 100,
  tokensPerSecond: 62.5,
  loadSeconds: null,
  memoryBytes: null,
  at: 1,
}
const results = (passes: readonly boolean[], more: Partial<BenchmarkResult> = {}) =>
  passes.map((passed, index): BenchmarkResult => ({ ...blank, task: `sql/${index}`, passed, ...more }))
const pass = (count: number) => Array.from({ length: count }, () => true)
const fail = (count: number) => Array.from({ length: count }, () => false)

t.test('evidence counts tasks per model and category, repetitions averaged', async t => {
  const twice = [...results([true, false]), ...results([true, true], { repetition: 2 })]
  t.match(evidence(twice), [{ provider: 'here', model: 'm', category: 'sql', passed: 1.5, total: 2, runs: 2 }])
})

t.test('a changed digest makes old results evidence of another model', async t => {
  const old = results(pass(4))
  t.strictSame(
    currentResults(old, () => 'two'),
    [],
  )
  const both = [...old, ...results(fail(4), { digest: 'two', at: 2 })]
  t.match(evidence(both), [
    { weights: 'one', passed: 4 },
    { weights: 'two', passed: 0 },
  ])
  t.match(currentResults(both), results(fail(4), { digest: 'two', at: 2 }))
  t.match(
    currentResults(both, () => 'one'),
    old,
    'and the old weights may come back',
  )
})

t.test('without a digest, another quantization makes earlier results stale evidence', async t => {
  const old = results(pass(4), { digest: null, quantization: 'Q8_0' })
  t.strictSame(
    currentResults(old, () => 'Q4_K_M'),
    [],
  )
  t.equal(currentResults(old, () => 'Q8_0').length, 4)
})

t.test('only the newest version of a suite counts', async t => {
  const both = [...results(pass(3)), ...results(fail(2), { suiteVersion: 2 })]
  t.match(evidence(both), [{ suiteVersion: 2, passed: 0, total: 2 }])
})

t.test('evidence survives a restart', async t => {
  const file = `${t.testdir()}/benchmarks.db`
  const before = openResults(file)
  for (const result of results([true, false, true])) before.save(result)
  const expected = evidence(before.results())
  before.close()
  const after = openResults(file)
  t.teardown(() => {
    after.close()
  })
  t.strictSame(evidence(after.results()), expected)
})

t.test('an item is never stored twice in a run', async t => {
  const store = openResults(':memory:')
  store.save(blank)
  t.throws(() => {
    store.save(blank)
  }, /UNIQUE/)
})

t.test('an unfinished run is found by its plan until it is finished', async t => {
  const store = openResults(':memory:')
  const candidates = [{ provider: 'here', model: 'm', paid: false }]
  const plan = planOf(candidates, suites, 1, true)
  t.equal(store.unfinished(plan), undefined)
  store.begin({ id: 'r1', plan, at: 1 })
  t.equal(store.unfinished(plan), 'r1')
  t.equal(store.unfinished(planOf(candidates, suites, 3, true)), undefined)
  t.equal(store.unfinished(planOf([{ ...candidates[0]!, digest: 'other' }], suites, 1, true)), undefined)
  store.finish('r1', 2)
  t.equal(store.unfinished(plan), undefined)
})

t.test('equal settings are equal text', async t => {
  t.equal(settingsText({ temperature: 0, strategy: 'x' }), settingsText({ strategy: 'x', temperature: 0 }))
  t.equal(settingsText(undefined), '{}')
})

t.test('models are compared on the tasks given to both', async t => {
  const difference = pairedDifference(results([...pass(10), ...fail(2)]), results(fail(10)), seeded(1))
  t.match(difference, { value: 1, tasks: 10, onlyFirst: 10, onlySecond: 0 })
  t.ok(difference.p < 0.01)
})

t.test('a prompting strategy is used only when it is better beyond chance', async t => {
  const variant = { settings: '{"strategy":"terse"}' }
  t.ok(strategyIsBetter(results(pass(12), variant), results([...fail(8), ...pass(4)]), seeded(1)))
  t.notOk(
    strategyIsBetter(results(pass(12), variant), results([...fail(2), ...pass(10)]), seeded(1)),
    'two tasks are not significant',
  )
  t.notOk(strategyIsBetter(results(fail(12), variant), results(pass(12)), seeded(1)))
  t.notOk(strategyIsBetter([], [], seeded(1)))
})

t.test('drift reports significant changes, and changed weights always', async t => {
  const before = results(pass(12))
  const moved = { moved: true, weightsChanged: false, before: { value: 1 }, after: { value: 0 }, tasks: 4 }
  t.match(drift(before, results(fail(4), { run: 'r2' })), [
    { category: 'sql', ...moved },
    { category: 'all', ...moved },
  ])
  t.match(drift(before, results([...pass(3), false], { run: 'r2' })), [{ moved: false, tasks: 4 }, { moved: false }])
  t.match(drift(before, results(pass(2), { digest: 'two' })), [{ moved: true, weightsChanged: true }, { moved: true }])
  t.strictSame(drift(before, results(pass(2), { model: 'new' })), [])
})

t.test('a shift too small for one category is detected across all of them', async t => {
  const suites = ['a', 'b', 'c', 'd', 'e']
  const before = suites.flatMap(suite =>
    results(pass(4), { suite }).map(result => ({ ...result, task: suite + result.task })),
  )
  const after = before.map(result => ({ ...result, run: 'r2', passed: !result.task.endsWith('0') }))
  t.strictSame(
    drift(before, after).map(({ category, moved }) => [category, moved]),
    [...suites.map(suite => [suite, false]), ['all', true]],
  )
})
