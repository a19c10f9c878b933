import t, { type Test } from 'tap'
import { sealChildren } from '../bench/sealed-children.ts'
import { inProcessClient } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import type { TaskStatus } from '../../src/operations/task-view.ts'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

sealChildren()

t.test('a measured model has its results in the leaderboard, and they outlive the process', async t => {
  const { call, local, gateway } = await startBenchmarks(t)
  local.script = { answer: { text: 'I do not know.' } }
  const started = await call('benchmark_model', { model_id: 'scripted', task_categories: ['reasoning'] })
  t.match(started, { status: 'queued', result: null })
  const done = await call('get_task_status', { task_id: started.task_id, wait_seconds: 60 })
  t.match(done, {
    status: 'completed',
    benchmark: { judged: true, models: [{ model: 'llama-cpp/scripted', quality: 0 }], unreachable: [] },
  })
  t.match(await call('benchmarks'), { models: [{ model: 'llama-cpp/scripted', quality: 0 }], total: 1 })
  t.ok(gateway.core.benchmarkResults().results().length > 0)
})

t.test('a caller’s task measures time and cost, and is not evidence of quality', async t => {
  const { call } = await startBenchmarks(t)
  const task = { task_id: 'mine', task: 'Say hello.', context_length: 0, runs_per_task: 2 }
  const started = await call('benchmark_task', task)
  const done = await call('get_task_status', { task_id: started.task_id, wait_seconds: 60 })
  t.match(done.benchmark, { judged: false, models: [{ model: 'llama-cpp/scripted', items: 2, quality: null }] })
  t.match(await call('benchmarks'), { total: 0 })
})

t.test('requests take precedence over a benchmark, and their callers see that one is running', async t => {
  const { call, local } = await startBenchmarks(t)
  const held = gate()
  local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
  const task = { task_id: 'mine', task: 'Measure me.', context_length: 0, runs_per_task: 3 }
  const benchmark = await call('benchmark_task', task)
  await local.untilChats(1)
  const waiting = await call('route_task', { task: 'Say hello.', context_length: 0 })
  t.match(waiting.benchmark_contention, { local_slot_contended: true, active_benchmark_runs: 1 })
  held.open()
  await call('get_task_status', { task_id: waiting.task_id, wait_seconds: 60 })
  await call('get_task_status', { task_id: benchmark.task_id, wait_seconds: 60 })
  const asked = local.chats.map(({ body }) => (body['messages'] as { content: string }[])[0]?.content)
  t.same(asked, ['Measure me.', 'Say hello.', 'Measure me.', 'Measure me.'])
})

t.test(
  'requests and tasks that queue up behind an item of a benchmark are all answered before its next one',
  async t => {
    const { call, local, gateway } = await startBenchmarks(t)
    const held = gate()
    local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
    const task = { task_id: 'mine', task: 'Measure me.', context_length: 0, runs_per_task: 2 }
    const benchmark = await call('benchmark_task', task)
    await local.untilChats(1)
    const first = await call('route_task', { task: 'Task one.', context_length: 0 })
    const second = await call('route_task', { task: 'Task two.', context_length: 0 })
    const slots = gateway.core.slotsOf('llama-cpp')
    const request = gateway.ask({ messages: [{ role: 'user', content: 'A request.' }] })
    while (slots.waiting() < 2) await new Promise(resolve => setTimeout(resolve, 1))
    held.open()
    t.equal((await request).status, 200)
    for (const { task_id } of [first, second, benchmark]) await call('get_task_status', { task_id, wait_seconds: 60 })
    const asked = local.chats.map(({ body }) => (body['messages'] as { content: string }[])[0]?.content)
    t.same(
      asked.toSorted((a = '', b = '') => a.localeCompare(b)),
      ['A request.', 'Measure me.', 'Measure me.', 'Task one.', 'Task two.'],
    )
    t.equal(asked[0], 'Measure me.')
    t.equal(asked.at(-1), 'Measure me.')
  },
)

t.test('a benchmark is cancelled down to the socket', async t => {
  const { call, local } = await startBenchmarks(t)
  local.script = { answer: { text: ['word '], endless: true } }
  const started = await call('benchmark_task', { task_id: 'mine', task: 'Go on.', context_length: 0 })
  await local.untilChats(1)
  await call('cancel_task', { task_id: started.task_id })
  await local.untilHangUps(1)
  t.equal((await call('get_task_status', { task_id: started.task_id })).status, 'cancelled')
})

async function startBenchmarks(t: Test) {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const client = inProcessClient(operations, gateway.core)
  const call = async (name: string, input: object = {}) => (await client.call(name, input)) as unknown as TaskStatus
  return { local, gateway, call }
}
