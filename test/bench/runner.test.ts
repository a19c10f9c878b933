import t, { type Test } from 'tap'
import { openAiServer } from '../../src/cli/benchmark/openai-server.ts'
import { evidence } from '../../src/bench/evidence.ts'
import { leaderboard } from '../../src/bench/leaderboard.ts'
import { openResults, type BenchmarkCandidate } from '../../src/bench/results.ts'
import { inTurn, runBenchmark, type BenchmarkOptions, type BenchmarkProgress } from '../../src/bench/runner.ts'
import { openSandbox } from '../../src/bench/sandbox/sandbox.ts'
import { defaultStopping } from '../../src/bench/stopping.ts'
import { suites } from '../../src/bench/suites/index.ts'
import { scriptedModels, type Script } from './scripted-model.ts'
import { sealChildren } from './sealed-children.ts'

sealChildren()

const sandbox = openSandbox()
t.teardown(() => sandbox.close())

const light = suites.filter(({ name }) => ['tool-calls', 'instructions', 'reasoning'].includes(name))
const reasoning = suites.filter(({ name }) => name === 'reasoning')
const good: Script = () => 'reference'
const bad: Script = () => 'wrong'

/** A benchmark of scripted models over HTTP, with what it left behind. */
async function benchmark(t: Test, scripts: Record<string, Script>, options: Partial<BenchmarkOptions> = {}) {
  const models = await scriptedModels(t, scripts)
  const server = openAiServer(models.url, undefined, Date.now)
  const served = await server.models(new AbortController().signal)
  const candidates = options.candidates ?? served.map(({ candidate }) => candidate)
  const store = options.store ?? openResults(':memory:')
  const outcome = await runBenchmark({
    run: 'test',
    suites: light,
    ask: server.ask,
    sandbox,
    repetitions: 1,
    stopping: defaultStopping,
    itemTimeoutMs: 60_000,
    turn: async () => {},
    signal: new AbortController().signal,
    now: Date.now,
    ...options,
    candidates,
    store,
  })
  return { outcome, results: store.results(), asked: models.asked }
}

t.test('a good and a bad model are ordered correctly in every category after four items each', async t => {
  const { outcome, results } = await benchmark(t, { bad, good }, { suites })
  const leaders = leaderboard(results)
  t.strictSame(
    leaders.map(({ model }) => model),
    ['good', 'bad'],
  )
  for (const category of suites.map(({ name }) => name)) {
    const [first, second] = leaders.map(({ categories }) => categories.find(score => score.category === category)!)
    t.match(
      [first, second],
      [
        { value: 1, tasks: 4 },
        { value: 0, tasks: 4 },
      ],
      category,
    )
    t.ok(first!.low > second!.high, `the intervals of ${category} do not meet`)
  }
  const all = 2 * suites.reduce((sum, { tasks }) => sum + tasks.length, 0)
  t.equal(outcome.asked, 2 * 4 * suites.length)
  t.equal(outcome.saved, all - outcome.asked)
  t.ok(outcome.stopped.every(({ decision }) => decision === 'ranking decided'))
  t.comment(`${outcome.asked} of ${all} items, ${outcome.saved} saved by sequential stopping`)
  t.strictSame(
    evidence(results).map(({ model, passed, total }) => [model, passed, total]),
    [...suites.map(() => ['bad', 0, 4]), ...suites.map(() => ['good', 4, 4])],
  )
})

t.test('a cell whose interval is narrow enough stops without anyone to compare with', async t => {
  const { outcome } = await benchmark(t, { good })
  t.strictSame(
    outcome.stopped.map(({ items, decision }) => [items, decision]),
    light.map(() => [12, 'narrow enough']),
  )
})

t.test('without sequential stopping every task runs the configured number of times', async t => {
  const { outcome, results } = await benchmark(t, { good }, { suites: reasoning, stopping: undefined, repetitions: 2 })
  t.equal(outcome.asked, 2 * reasoning[0]!.tasks.length)
  t.match(evidence(results), [{ passed: 16, total: 16, runs: 2 }])
})

t.test('an interrupted run resumes without repeating an item', async t => {
  const store = openResults(':memory:')
  const stop = new AbortController()
  const options = { suites: reasoning, stopping: undefined, store }
  const first = await benchmark(
    t,
    { good },
    { ...options, signal: stop.signal, onProgress: ({ asked }) => void (asked === 5 && stop.abort()) },
  )
  t.match(first.outcome, { status: 'aborted', asked: 5 })
  const server = await scriptedModels(t, { good })
  const candidates = [
    { provider: store.results()[0]!.provider, model: 'good', paid: false, contextTokens: 32_768, settings: {} },
  ]
  const second = await benchmark(
    t,
    { good },
    { ...options, candidates, ask: openAiServer(server.url, undefined, Date.now).ask },
  )
  t.match(second.outcome, { status: 'finished', resumed: 5, asked: 11 })
  t.equal(new Set([...first.asked, ...server.asked]).size, 16)
  t.equal(first.asked.length + server.asked.length, 16)
})

t.test('hard items are among the first, so an early stop has seen them', async t => {
  for (const { name, tasks } of suites) {
    const first = inTurn(tasks).slice(0, 4)
    t.same(new Set(first.map(({ difficulty }) => difficulty)), new Set(['easy', 'medium', 'hard']), name)
    t.equal(inTurn(tasks).length, tasks.length)
  }
})

t.test('no item starts that could cost more than is left', async t => {
  const price = { input: 1_000, output: 1_000 }
  const candidates: BenchmarkCandidate[] = [
    { provider: 'shop', model: 'good', paid: true, price, contextTokens: 32_768 },
  ]
  const none = await benchmark(t, { good }, { candidates, maxCostUsd: 1 })
  t.match(none.outcome, { status: 'out of money', asked: 0, costUsd: 0 })
  const some = await benchmark(t, { good }, { candidates, maxCostUsd: 5, suites: reasoning })
  t.equal(some.outcome.status, 'out of money')
  t.ok(some.outcome.asked > 0)
  t.ok(some.outcome.costUsd <= 5, `${some.outcome.costUsd} USD`)
  t.ok(Math.abs(some.outcome.costUsd - some.outcome.asked * 0.15) < 1e-9, 'tokens times price')
})

t.test('no item starts after the time is up', async t => {
  let minutes = 0
  const { outcome } = await benchmark(t, { good }, { suites: reasoning, maxMinutes: 10, now: () => minutes++ * 60_000 })
  t.equal(outcome.status, 'out of time')
  t.ok(outcome.asked < 10)
})

t.test('every item waits for users’ requests', async t => {
  const order: string[] = []
  await benchmark(
    t,
    { good },
    {
      suites: reasoning,
      turn: async () => {
        order.push('turn')
        await Promise.resolve()
      },
      onProgress: () => void order.push('item'),
    },
  )
  t.strictSame(order.slice(0, 6), ['turn', 'item', 'turn', 'item', 'turn', 'item'])
})

t.test('an unreachable model is skipped, and the others are measured', async t => {
  const down: Script = () => 404
  const { outcome, results } = await benchmark(t, { down, good }, { suites: reasoning })
  t.match(outcome.unreachable, [{ model: 'down', reason: /404/ }])
  t.equal(outcome.status, 'finished')
  t.ok(
    results.every(({ model }) => model === 'good'),
    'no answer is not evidence',
  )
})

t.test('a request rejected by the model is a failed item', async t => {
  const picky: Script = task => (task.id === 'reasoning/siblings' ? 400 : 'reference')
  const { results } = await benchmark(t, { picky }, { suites: reasoning, stopping: undefined })
  t.match(
    results.filter(({ passed }) => !passed),
    [{ task: 'reasoning/siblings', reason: /400/ }],
  )
})

t.test('an answer that exceeds the time limit is a failed item', async t => {
  const { results } = await benchmark(
    t,
    { good },
    {
      suites: [{ ...reasoning[0]!, tasks: reasoning[0]!.tasks.slice(0, 1) }],
      itemTimeoutMs: 5,
      ask: (_, __, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    },
  )
  t.match(results, [{ passed: false, reason: /within 0.005 s/ }])
})

t.test('results record the model, its settings and its speed', async t => {
  const candidates: BenchmarkCandidate[] = [
    {
      provider: 'here',
      model: 'good',
      digest: 'sha256:1',
      quantization: 'Q4_K_M',
      contextTokens: 32_768,
      paid: false,
      settings: { temperature: 0.2 },
    },
  ]
  const { results } = await benchmark(t, { good }, { candidates, suites: reasoning })
  t.match(results[0], {
    provider: 'here',
    digest: 'sha256:1',
    quantization: 'Q4_K_M',
    contextTokens: 32_768,
    settings: '{"temperature":0.2}',
    suite: 'reasoning',
    suiteVersion: 1,
    promptTokens: 100,
    completionTokens: 50,
    costUsd: 0,
  })
  t.ok(results[0]!.firstTokenMs! <= results[0]!.totalMs)
})

t.test('a prompting strategy is prepended to every task, and its results are separate', async t => {
  const system = 'Think in small steps.'
  const candidates: BenchmarkCandidate[] = [undefined, { strategy: 'small steps', system }].map(settings => ({
    provider: 'here',
    model: 'good',
    paid: false,
    ...(settings && { settings }),
  }))
  const first: unknown[] = []
  const { results } = await benchmark(
    t,
    {},
    {
      candidates,
      suites: reasoning,
      ask: async (_, { messages }) => {
        first.push(messages[0])
        await Promise.resolve()
        return { message: { content: 'Answer: nothing' }, totalMs: 1 }
      },
    },
  )
  t.match(first[0], { role: 'user' })
  t.strictSame(first.at(-1), { role: 'system', content: system })
  t.match(leaderboard(results), [{ settings: '{}' }, { settings: /small steps/ }])
})

t.test('progress counts up, and what remains counts down', async t => {
  const seen: BenchmarkProgress[] = []
  await benchmark(t, { good }, { suites: reasoning, onProgress: progress => void seen.push(progress) })
  t.strictSame(
    seen.map(({ asked }) => asked),
    seen.map((_, index) => index + 1),
  )
  t.strictSame(
    seen.map(({ remaining }) => remaining),
    seen.map((_, index) => 15 - index),
  )
  t.equal(seen.at(-1)!.tokens, seen.length * 150)
})
