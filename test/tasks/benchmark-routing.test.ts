import { mkdirSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { sealChildren } from '../bench/sealed-children.ts'
import { openResults, type BenchmarkResult } from '../../src/bench/results.ts'
import { suites } from '../../src/bench/suites/index.ts'
import { inProcessClient } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import type { TaskStatus } from '../../src/operations/task-view.ts'
import { anyCategory } from '../../src/router/evidence.ts'
import { tagged } from '../../src/router/kinds.ts'
import { benchmarkFacts, kindsOfSuite } from '../../src/tasks/benchmark-evidence.ts'
import { scriptedUpstream, type SeenRequest } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

sealChildren()

const reasoning = suites.find(({ name }) => name === 'reasoning')!
const [big, small] = ['ollama/big-70b', 'ollama/small-1b']
const question =
  'What is the sum of the first 40 positive integers that are divisible by 3? Solve the equation step by step.'

t.test('benchmark results change routing at once, and after a restart, until the weights change', async t => {
  const { upstream, start } = await twoModels(t)
  const gateway = await start()
  const before = await route(gateway)
  t.equal(before.chosen, big, 'the prior prefers the large model')

  await measure(gateway, 'big-70b')
  await measure(gateway, 'small-1b')
  const after = await route(gateway)
  t.equal(after.chosen, small)
  t.ok(after.small > before.small + 0.2, `${after.small}`)
  t.ok(after.big < 0.3, `${after.big}`)
  t.equal(upstream.chats.length, 2 * 3 * reasoning.tasks.length, 'explaining a route starts no benchmark')
  gateway.core.learner.close()
  const learned = new Set(gateway.core.ledger.learned.load().map(({ kind }) => kind))
  t.notOk(learned.has('belief'), 'repeating a benchmark task is not counted as a retry')
  await gateway.close(0)

  const restarted = await start()
  t.same(await route(restarted), after)

  upstream.script = { ...upstream.script, models: models('pulled again') }
  await restarted.core.inventory.refresh(new AbortController().signal)
  const pulled = await route(restarted)
  t.equal(pulled.chosen, big)
  t.ok(Math.abs(pulled.big - before.big) < 0.02, 'the large one is back at its prior')
  t.ok(Math.abs(pulled.small - before.small) < 0.02, 'and so is the small one')
})

t.test('results that another process writes reach the running router', async t => {
  const { start, results } = await twoModels(t)
  const gateway = await start()
  const before = await route(gateway)
  mkdirSync(path.dirname(results))
  const store = openResults(results)
  t.teardown(() => store.close())
  for (const result of resultsOf('small-1b', true)) store.save(result)
  const known = () => gateway.core.ledger.learned.load().some(({ kind }) => kind === 'benchmark')
  while (!known()) await new Promise(resolve => setTimeout(resolve, 50))
  t.ok((await route(gateway)).small > before.small + 0.1)
})

t.test('one repeated task is one observation, and another strategy is none', async t => {
  const [first, ...rest] = resultsOf('small-1b', true)
  const often = [1, 2, 3].map(repetition => ({ ...first!, repetition }))
  t.match(benchmarkFacts(often), [{ model: 'small-1b@first', category: anyCategory, value: { runs: 3, tasks: 1 } }])
  t.same(benchmarkFacts(rest.map(result => ({ ...result, settings: '{"strategy":"terse"}' }))), [])
})

t.test('every built-in suite maps to router categories', async t => {
  t.same(Object.keys(kindsOfSuite).sort(), suites.map(({ name }) => name).sort())
  for (const kind of Object.values(kindsOfSuite).flat()) t.equal(tagged([kind]), kind)
})

/** An Ollama with a large model that fails every task and a small one that passes every one. */
async function twoModels(t: Test) {
  const folder = t.testdir()
  const upstream = await scriptedUpstream(t, 'ollama', {
    models: models('first'),
    answer: ({ body }: SeenRequest) => {
      const [asked] = body['messages'] as { content: string }[]
      const task = reasoning.tasks.find(task => task.ask({ promptTokens: 1 }).messages[0]?.content === asked?.content)
      const reply = body['model'] === 'small-1b' ? task?.reference : task?.wrong
      return { text: reply?.content ?? 'What?' }
    },
  })
  const variables = {
    ...variablesFor(upstream),
    DATA_DIR: path.join(folder, 'data'),
    BENCHMARK_RESULTS_PATH: path.join(folder, 'results'),
  }
  const results = path.join(folder, 'results', 'benchmarks.db')
  return { upstream, results, start: () => startGateway(t, variables) }
}

function models(digest: string) {
  return [
    { name: 'big-70b', digest, loadedContextTokens: 8192, parameters: '70B' },
    { name: 'small-1b', digest, loadedContextTokens: 8192, parameters: '1B' },
  ]
}

async function measure(gateway: TestGateway, model: string): Promise<void> {
  const client = inProcessClient(operations, gateway.core)
  const input = { model_id: model, task_categories: ['reasoning'] }
  const { task_id } = (await client.call('benchmark_model', input)) as unknown as TaskStatus
  await client.call('get_task_status', { task_id, wait_seconds: 60 })
}

async function route(gateway: TestGateway) {
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: question }] })
  const { json } = await exchange(`${gateway.url}/v1/route`, { method: 'POST', body })
  const candidates = json.candidates as { model: string; quality: number }[]
  const quality = Object.fromEntries(candidates.map(({ model, quality }) => [model, quality]))
  return { chosen: json.chosen as string, big: quality[big] ?? -1, small: quality[small] ?? -1 }
}

function resultsOf(model: string, passed: boolean): BenchmarkResult[] {
  return reasoning.tasks.map(({ id, difficulty }, index) => ({
    run: 'r1',
    provider: 'ollama',
    model,
    digest: 'first',
    quantization: null,
    contextTokens: null,
    settings: '{}',
    suite: reasoning.name,
    suiteVersion: reasoning.version,
    task: id,
    difficulty,
    repetition: 1,
    predicted: null,
    passed,
    reason: null,
    promptTokens: 10,
    completionTokens: 5,
    costUsd: 0,
    firstTokenMs: 20,
    totalMs: 100,
    tokensPerSecond: 62.5,
    loadSeconds: null,
    memoryBytes: null,
    at: index,
  }))
}
