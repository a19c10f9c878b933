import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { sealChildren } from '../bench/sealed-children.ts'
import { suites } from '../../src/bench/suites/index.ts'
import { gate, scriptedUpstream, type ScriptedUpstream, type SeenRequest } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'
import { inProcessClient, type Client } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import type { TaskStatus } from '../../src/operations/task-view.ts'

sealChildren()

t.test('a task is answered with its id at once and done in the background, by the model that is reported', async t => {
  const { agent, local } = await startTasks(t)
  const task = await agent.submit('Say hello.')
  t.match(task, { status: 'queued', provider: 'llama-cpp', model: 'llama-cpp/scripted', result: null })
  const done = await agent.wait(task.task_id)
  t.match(done, {
    status: 'completed',
    progress: 1,
    queue_position: 0,
    runs: 1,
    result: { text: 'Hello from llama-cpp.', model: 'llama-cpp/scripted', finish_reason: 'stop', attempts: 1 },
  })
  t.match(local.chats[0]?.body, { messages: [{ role: 'user', content: 'Say hello.' }] })
})

t.test('a task that fell back reports the model that answered, not the one that was chosen', async t => {
  const broken = await scriptedUpstream(t, 'llama-cpp', {
    answer: { error: { status: 500, message: 'out of memory' } },
  })
  const whole = await scriptedUpstream(t, 'lm-studio', { models: ['spare'] })
  const { agent } = await startTasks(t, {}, broken, whole)
  const task = await agent.submit('Say hello.')
  t.equal(task.model, 'llama-cpp/scripted')
  t.match(await agent.wait(task.task_id), { status: 'completed', model: 'lm-studio/spare', result: { attempts: 2 } })
})

t.test('a server failure is a failed task with its reason', async t => {
  const { agent, local } = await startTasks(t)
  local.script = { answer: { error: { status: 500, message: 'out of memory' } } }
  const task = await agent.submit('Say hello.')
  t.match(await agent.wait(task.task_id), { status: 'failed', result: null, error: { message: /out of memory/ } })
})

t.test('without a server a task is rejected at submission', async t => {
  const gateway = await startGateway(t)
  await t.rejects(clientOf(gateway).call('route_task', { task: 'Say hello.', context_length: 0 }), {
    code: 'no_backend',
    message: /Start Ollama/,
  })
  t.equal(gateway.core.ledger.tasks.counts().queued, 0)
})

t.test('tasks of one slot run one at a time in order of submission', async t => {
  const { agent, local } = await startTasks(t)
  const count = 200
  const tasks = await Promise.all(Array.from({ length: count }, (_, index) => agent.submit(`Task ${String(index)}`)))
  t.equal(tasks.at(-1)?.queue_position, count - 1)
  await agent.wait(tasks.at(-1)!.task_id)
  t.same(
    local.chats.map(({ body }) => (body['messages'] as { content: string }[])[0]?.content),
    Array.from({ length: count }, (_, index) => `Task ${String(index)}`),
  )
})

t.test('a queued task is cancelled before it reaches a server, and stays cancelled', async t => {
  const held = gate()
  const { agent, local, client } = await startTasks(t)
  local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
  const first = await agent.submit('Wait.')
  await local.untilChats(1)
  const second = await agent.submit('Never mind.')
  t.equal(second.queue_position, 1)
  t.match(await client.call('cancel_task', { task_id: second.task_id }), {
    cancelled_jobs: [second.job_id],
    task: { status: 'cancelled', queue_position: 0 },
  })
  held.open()
  t.equal((await agent.wait(first.task_id)).status, 'completed')
  t.equal((await agent.status(second.task_id)).status, 'cancelled')
  t.equal(local.chats.length, 1)
})

t.test('a running task is cancelled down to the socket of its server, and stays cancelled', async t => {
  const { agent, local, client, gateway } = await startTasks(t)
  local.script = { answer: { text: ['word '], endless: true } }
  const task = await agent.submit('Go on for ever.')
  await local.untilChats(1)
  t.equal((await agent.status(task.task_id)).status, 'in_progress')
  t.match(await client.call('cancel_job', { job_id: task.job_id }), { cancelled: true, job: { status: 'cancelled' } })
  await local.untilHangUps(1)
  await idle(gateway)
  t.equal((await agent.status(task.task_id)).status, 'cancelled')
  t.equal(gateway.core.slotsOf('llama-cpp').busy(), 0)
})

t.test('a finished task cannot be cancelled', async t => {
  const { agent, client } = await startTasks(t)
  const task = await agent.submit('Say hello.')
  await agent.wait(task.task_id)
  t.match(await client.call('cancel_task', { task_id: task.task_id }), {
    cancelled_jobs: [],
    task: { status: 'completed' },
  })
  t.match(await client.call('cancel_job', { job_id: task.job_id }), { cancelled: false })
  await t.rejects(client.call('cancel_task', { task_id: 'nothing' }), { code: 'not_found', param: 'task_id' })
})

t.test('waiting for a task reports progress and ends with the task, the timeout or the caller', async t => {
  const held = gate()
  const { agent, client, local } = await startTasks(t)
  local.script = { answer: { text: ['one ', 'two'], hold: { before: 1, until: held.opened } } }
  const task = await agent.submit('Count.', { expected_output_length: 4 })
  await local.untilChats(1)
  const unfinished = await client.call('get_task_status', { task_id: task.task_id, wait_seconds: 0.05 })
  t.equal(unfinished['status'], 'in_progress')
  const controller = new AbortController()
  const given = client.call(
    'get_task_status',
    { task_id: task.task_id, wait_seconds: 60 },
    { signal: controller.signal },
  )
  controller.abort()
  await t.rejects(given, { code: 'client_closed' })
  const messages: (string | undefined)[] = []
  const waiting = client.call(
    'get_task_status',
    { task_id: task.task_id, wait_seconds: 60 },
    { progress: ({ message }) => messages.push(message) },
  )
  held.open()
  t.match(await waiting, { status: 'completed', result: { text: 'one two' } })
})

t.test('complexity 0 and context 0 are values, and a large context rules out small models', async t => {
  const small = await scriptedUpstream(t, 'llama-cpp', { models: [{ name: 'small', loadedContextTokens: 4096 }] })
  const { agent, client } = await startTasks(t, {}, small)
  t.match(await agent.submit('Say hello.', { complexity: 0 }), { status: 'queued' })
  await t.rejects(agent.submit('Say hello.', { context_length: 30_000 }), { code: 'context_length_exceeded' })
  await t.rejects(client.call('preemptive_route_task', { task: 'Say hello.', context_length: 30_000 }), {
    code: 'context_length_exceeded',
  })
})

t.test('the dry run, the explanation and the real run agree, and explaining calls no model', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const { agent, client } = await startTasks(t, {}, local, remote)
  for (const priority of ['cost', 'quality', 'speed'] as const) {
    const input = { task: 'Say hello.', context_length: 10, priority }
    const dry = await client.call('preemptive_route_task', input)
    const explained = await client.call('explain_route', {
      request: { model: `auto:${priority}`, messages: [{ role: 'user', content: 'Say hello.' }] },
    })
    t.equal(dry['model'], explained['model'])
    t.equal(local.chats.length + remote.chats.length, 0)
    const real = await agent.submit(input.task, input)
    t.equal(real.model, dry['model'])
    await agent.wait(real.task_id)
    local.chats.length = 0
    remote.chats.length = 0
  }
})

t.test('a task bound to its model keeps it when a better one appears', async t => {
  const held = gate()
  const { agent, local } = await startTasks(t)
  local.script = { models: ['scripted'], answer: { hold: { before: 'headers', until: held.opened } } }
  await agent.submit('Wait.')
  await local.untilChats(1)
  const bound = await agent.submit('Say hello.', { preemptive: true })
  held.open()
  t.match(await agent.wait(bound.task_id), { status: 'completed', result: { reason: 'explicit' } })
})

t.test('the queue can be filtered by status, model and text, and paged', async t => {
  const held = gate()
  const { agent, client, local } = await startTasks(t)
  const first = await agent.submit('Alpha')
  await agent.wait(first.task_id)
  local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
  await agent.submit('Beta')
  await local.untilChats(2)
  await agent.submit('Gamma')
  const list = async (input: object) => {
    const { tasks } = (await client.call('list_tasks', input)) as { tasks: { task: string }[] }
    return tasks.map(({ task }) => task)
  }
  t.same(await list({}), ['Gamma', 'Beta', 'Alpha'])
  t.same(await list({ status: 'completed' }), ['Alpha'])
  t.same(await list({ status: 'in_progress' }), ['Beta'])
  t.same(await list({ q: 'mma' }), ['Gamma'])
  t.same(await list({ model: 'llama-cpp/scripted', page: 2, page_size: 2 }), ['Alpha'])
  t.same(await list({ provider: 'nobody' }), [])
  const queue = await client.call('list_queue', { active: true })
  t.match(queue, {
    summary: { tasks: { completed: 1, in_progress: 1, queued: 1 }, waiting: 1, running: 1 },
    jobs: [{ status: 'in_progress' }, { status: 'queued', queue_position: 1 }],
    total: 2,
  })
  held.open()
})

t.test('a result is rated by its task id, and a task without a result cannot be rated', async t => {
  const { agent, client, local } = await startTasks(t)
  const task = await agent.submit('Say hello.')
  const done = await agent.wait(task.task_id)
  const rated = await client.call('rate_result', { task_id: task.task_id, score: 0.5 })
  t.same(rated, { request_id: done.result?.request_id, model: 'llama-cpp/scripted', score: 0.5 })
  local.script = { answer: { error: { status: 500, message: 'no' } } }
  const failed = await agent.submit('Say hello.')
  await agent.wait(failed.task_id)
  await t.rejects(client.call('rate_result', { task_id: failed.task_id, score: 1 }), { code: 'invalid_request' })
  await t.rejects(client.call('rate_result', { request_id: 'req_none', score: 1 }), { code: 'not_found' })
})

t.test('results are stored for TASK_RETENTION_DAYS and no longer', async t => {
  const variables = { TASK_RETENTION_DAYS: '7', DATA_DIR: t.testdir() }
  const { gateway } = await startTasks(t, variables)
  const { ledger, now } = gateway.core
  for (const days of [6, 8]) {
    const createdAt = Math.round(now() - days * 86_400_000)
    const job = { id: `job_${String(days)}`, provider: 'llama-cpp', model: 'llama-cpp/scripted' }
    ledger.tasks.add({ id: `task_${String(days)}`, kind: 'route_task', createdAt, askedBy: 'me', spec: {} }, job)
    ledger.tasks.finish(job.id, createdAt, { state: 'completed', outcome: {} })
  }
  await gateway.close(0)
  const { gateway: restarted, client } = await startTasks(t, variables)
  // Both are one batch, and that is deleted by now: starting takes many turns of the event loop.
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  t.equal(restarted.core.ledger.tasks.task('task_8'), undefined)
  t.match(await client.call('get_task_status', { task_id: 'task_6' }), { status: 'completed' })
  await t.rejects(client.call('get_task_status', { task_id: 'task_8' }), { code: 'not_found' })
})

t.test('a prompting strategy is used only once a benchmark has found it better', async t => {
  const reasoning = suites.find(({ name }) => name === 'reasoning')!
  const answer = ({ body }: SeenRequest) => {
    const messages = body['messages'] as { role: string; content: string }[]
    const asked = messages.find(({ role }) => role === 'user')!.content.replace(/^Task: | Answer:$/g, '')
    const task = reasoning.tasks.find(task => task.ask({ promptTokens: 1 }).messages[0]?.content === asked)
    const helped = messages.some(({ content }) => content === 'Take small steps.')
    return { text: (helped ? task?.reference.content : task?.wrong.content) ?? 'Hello.' }
  }
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'], answer })
  const { agent, client } = await startTasks(t, { BENCHMARK_RUNS_PER_TASK: '1' }, remote)
  const benchmark = async () => {
    const input = { model_id: 'open/gift:free', task_categories: ['reasoning'] }
    const started = (await client.call('benchmark_model', input)) as TaskStatus
    return (await agent.wait(started.task_id)).benchmark
  }
  const sent = async () => {
    await agent.wait((await agent.submit('Say $& hello.')).task_id)
    return remote.chats.at(-1)?.body['messages']
  }
  const set = (system_prompt: string) =>
    client.call('set_model_prompting_strategy', {
      model_id: 'open/gift:free',
      system_prompt,
      user_prompt: 'Task: {task} Answer:',
      use_chat: true,
      assistant_prompt: 'Sure:',
    })

  t.match(await set('Take small steps.'), { in_use: false })
  t.same(await sent(), [{ role: 'user', content: 'Say $& hello.' }], 'it is not yet known whether it helps')
  t.match(await benchmark(), {
    models: [
      { strategy: /^strategy /, quality: 1 },
      { strategy: null, quality: 0 },
    ],
  })
  t.match(await client.call('get_model_prompting_strategy', { model_id: 'open/gift:free' }), { in_use: true })
  t.same(await sent(), [
    { role: 'system', content: 'Take small steps.' },
    { role: 'user', content: 'Task: Say $& hello. Answer:' },
    { role: 'assistant', content: 'Sure:' },
  ])
  t.match(await set('Be quick.'), { in_use: false }, 'another wording is another strategy')
  await benchmark()
  t.same(await sent(), [{ role: 'user', content: 'Say $& hello.' }], 'and this one does not help')
})

t.test('a task whose answer fails its checks is repeated by a better model, and lists the models called', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: ['qwen3-coder-30b'],
    answer: { text: 'Half an answ', finishReason: 'length' },
  })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } }],
    answer: { text: 'All of it.' },
  })
  const { agent, client } = await startTasks(t, { QUALITY_THRESHOLD: '0' }, local, remote)
  const task = await agent.submit('Write a poem.', { validate: ['not_truncated', 'not_empty'] })
  t.equal(task.model, 'llama-cpp/qwen3-coder-30b')
  const done = await agent.wait(task.task_id)
  t.match(done, {
    status: 'completed',
    model: 'openrouter/anthropic/claude-sonnet-4.5',
    result: {
      text: 'All of it.',
      attempts: 2,
      reason: 'escalated',
      validation: {
        passed: true,
        checks: ['not_empty', 'not_truncated'],
        escalations: 1,
        answers: [
          {
            model: 'llama-cpp/qwen3-coder-30b',
            verdicts: [
              { check: 'not_empty', accepted: true },
              { check: 'not_truncated', accepted: false, why: /cut off/ },
            ],
          },
          { model: 'openrouter/anthropic/claude-sonnet-4.5' },
        ],
      },
    },
  })
  const plain = await agent.wait((await agent.submit('Write a poem.')).task_id)
  t.notOk(plain.result?.validation)
  const call = { task: 'Write a poem.', context_length: 0, validate: ['vibes'] }
  for (const name of ['route_task', 'preemptive_route_task']) {
    await t.rejects(client.call(name, call), { code: 'invalid_request', message: /vibes.*not_truncated/ })
  }
})

async function startTasks(t: Test, variables: Record<string, string> = {}, ...upstreams: ScriptedUpstream[]) {
  const servers = upstreams.length > 0 ? upstreams : [await scriptedUpstream(t, 'llama-cpp')]
  const gateway = await startGateway(t, { ...variablesFor(...servers), ...variables })
  const client = clientOf(gateway)
  const agent = {
    submit: async (task: string, more: object = {}) =>
      (await client.call('route_task', { task, context_length: 0, ...more })) as TaskStatus,
    status: async (task_id: string) => (await client.call('get_task_status', { task_id })) as TaskStatus,
    wait: async (task_id: string) =>
      (await client.call('get_task_status', { task_id, wait_seconds: 30 })) as TaskStatus,
  }
  return { gateway, client, agent, local: servers[0]! }
}

function clientOf({ core }: TestGateway): Client {
  return inProcessClient(operations, core)
}

async function idle({ core }: TestGateway): Promise<void> {
  await core.gateway.idle()
}
