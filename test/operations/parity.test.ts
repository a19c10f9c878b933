import t, { type Test } from 'tap'
import { sealChildren } from '../bench/sealed-children.ts'
import type { GatewayError } from '../../src/errors.ts'
import { inProcessClient, type Client } from '../../src/operations/client.ts'
import { httpClient } from '../../src/operations/http-client.ts'
import { operations } from '../../src/operations/index.ts'
import { createLog } from '../../src/start.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { exampleBudget, exampleKey, examples, type DoneTask } from './examples.ts'

sealChildren()

t.test('every operation answers the same in process and over HTTP against the real application', async t => {
  const { here, there, done } = await startApplication(t)
  const table = examples(done)
  t.same(Object.keys(table).sort(), operations.map(({ name }) => name).sort(), 'there is an example of each operation')
  for (const { name, output } of operations) {
    const { fails, volatile = [] } = table[name]!
    const steady = (result: unknown) => withoutKeys(result, volatile)
    const first = await outcome(here, name, table[name]!.works)
    const second = await outcome(there, name, table[name]!.works)
    t.ok(output.safeParse(first).success, `${name} keeps to its schema`)
    t.same(steady(second), steady(first), `${name} works alike`)
    if (fails === undefined) continue
    const refused = await outcome(here, name, fails)
    t.match(refused, { code: String, message: String })
    t.same(await outcome(there, name, fails), refused, `${name} fails alike`)
  }
})

t.test('each documented path of the queue and of tasks answers what its operation answers', async t => {
  const { url, here, done } = await startApplication(t)
  const headers = { authorization: 'Bearer only-key' }
  const get = async (path: string) => (await fetch(`${url}${path}`, { headers })).json()
  const post = async (path: string, body: object = {}) => {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }
  const { task_id, job_id } = done
  t.same(
    await get('/api/queue?status=completed&page=1&page_size=5'),
    await here.call('list_queue', { status: 'completed', page_size: 5 }),
  )
  t.same(
    await get(`/api/queue?task_id=${task_id}&provider=llama-cpp&q=hello`),
    await here.call('list_queue', { task_id, provider: 'llama-cpp', q: 'hello' }),
  )
  t.same(
    await get('/api/tasks?q=hello&model=llama-cpp/scripted'),
    await here.call('list_tasks', { q: 'hello', model: 'llama-cpp/scripted' }),
  )
  t.same(await get(`/api/tasks/${task_id}`), await here.call('get_task_status', { task_id }))
  t.same((await post(`/api/tasks/${task_id}/cancel`)).json, await here.call('cancel_task', { task_id }))
  t.same((await post(`/api/jobs/${job_id}/cancel`)).json, await here.call('cancel_job', { job_id }))
  const submitted = await post('/api/tasks', {
    task: 'Refactor parser for readability',
    context_length: 4096,
    complexity: 0.6,
    priority: 'quality',
  })
  t.match(submitted, { status: 200, json: { task_id: /^task_/, status: 'queued' } })
  const waited = await get(`/api/tasks/${String(submitted.json['task_id'])}?wait_seconds=20`)
  t.match(waited, { status: 'completed' })
  t.match(await post('/api/tasks', { task: 'No context.' }), {
    status: 400,
    json: { error: { param: 'context_length' } },
  })
  t.match(await get('/api/tasks/task_none'), { error: { code: 'not_found', param: 'task_id' } })
  t.match(await get('/api/queue?page=none'), { error: { code: 'invalid_request', param: 'page' } })
})

t.test('an operation that fails unexpectedly is logged without details for its caller', async t => {
  const lines: string[] = []
  const gateway = await startGateway(t, {}, [], { log: createLog('error', { write: line => void lines.push(line) }) })
  Object.assign(gateway.core.inventory, {
    models: () => {
      throw new TypeError('nobody thought of 42')
    },
  })
  const response = await fetch(`${gateway.url}/admin/list_models`, { method: 'POST' })
  t.equal(response.status, 500)
  const text = await response.text()
  t.match(JSON.parse(text), { error: { code: 'internal' } })
  t.notMatch(text, /42|TypeError/)
  const logged = lines.map(line => JSON.parse(line) as { operation?: string })
  t.match(
    logged.filter(({ operation }) => operation === 'list_models'),
    [{ err: { type: 'TypeError', message: /42/, stack: /at / } }],
  )
})

t.test('an operation that does not exist is not found', async t => {
  const { url } = await startGateway(t)
  const response = await fetch(`${url}/admin/no_such_operation`, { method: 'POST' })
  t.equal(response.status, 404)
  t.match(await response.json(), { error: { code: 'not_found', message: /no_such_operation/ } })
})

async function startApplication(t: Test) {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, {
    ...variablesFor(local, remote),
    CODE_SEARCH_ROOTS: process.cwd(),
    SIGNALBOX_API_KEY: 'only-key',
  })
  const here = inProcessClient(operations, gateway.core)
  const { task_id } = (await here.call('route_task', { task: 'Say hello.', context_length: 0 })) as unknown as DoneTask
  const done = (await here.call('get_task_status', { task_id, wait_seconds: 20 })) as unknown as DoneTask
  await here.call('create_api_key', { name: exampleKey })
  for (const number of [0, 1]) await here.call('set_budget', { name: `${exampleBudget}-${number}`, limit_usd: 1 })
  return { url: gateway.url, here, there: httpClient({ url: gateway.url, token: 'only-key' }), done }
}

async function outcome(client: Client, name: string, input: object): Promise<unknown> {
  try {
    const result = await client.call(name, input)
    // Another task in the meantime must not be what the next comparison finds.
    if (result['task_id'] !== undefined && result['finished_at'] === null)
      await client.call('get_task_status', { task_id: result['task_id'], wait_seconds: 20 })
    return result
  } catch (error) {
    const { code, message, param, retryAfterSeconds } = error as GatewayError
    return { code, message, param, retryAfterSeconds }
  }
}

function withoutKeys(value: unknown, keys: readonly string[]): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner: unknown) => (keys.includes(key) ? undefined : inner)))
}
