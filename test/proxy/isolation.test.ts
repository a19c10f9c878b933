import t, { type Test } from 'tap'
import { WebSocket } from 'undici'
import { resources } from '../../src/mcp/resource-list.ts'
import { operations } from '../../src/operations/index.ts'
import { gate, scriptedUpstream, type SeenRequest } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { agentKinds } from '../mcp/agents.ts'
import { examples } from '../operations/examples.ts'

const question = 'What is the code of the blue safe?'
const answer = 'The blue safe opens with 4711.'
const comment = 'Alice found it right.'

t.test('what one key made, no operation shows, changes or continues for another', async t => {
  const { bob, made, marks, alicesView } = await setUp(t)
  const before = await alicesView()
  const inputs = inputsOf(made)
  t.same(Object.keys(inputs).sort(), operations.map(({ name }) => name).sort(), 'every operation is tried')
  const agents = await Promise.all(agentKinds.filter(isOverHttp).map(({ connect }) => connect(t, bob.mcp)))
  for (const { name, http } of operations) {
    for (const [index, input] of inputs[name]!.entries()) {
      const ways: [string, () => Promise<string>][] = [
        ['REST', () => bob.text('POST', `/admin/${name}`, input)],
        ...agents.map(({ revision, callTool }): [string, () => Promise<string>] => [
          `MCP ${String(revision)}`,
          // A tool that a key may not call is unknown to its sessions.
          async () => JSON.stringify(await callTool(name, { ...input }).catch(String)),
        ]),
      ]
      if (http !== undefined) {
        ways.push([
          http.path,
          () => bob.text(http.method, filled(http.path.replaceAll(/:(\w+)/g, '{$1}'), input), input),
        ])
      }
      for (const [way, ask] of ways) {
        const said = await ask()
        const what = `${name} with input ${index} by ${way}`
        t.same(shown(said, marks, input), [], `${what} shows nothing`)
        if (mentions(input, made)) t.match(said, /not_found|"total":0|\\"total\\":0/, `${what} finds nothing`)
      }
    }
  }
  t.same(await alicesView(), before, 'and everything is as it was')
})

t.test('what one key made, no route shows, changes or continues for another', async t => {
  const { bob, made, marks, alicesView } = await setUp(t)
  const before = await alicesView()
  const { paths } = JSON.parse(await bob.text('GET', '/openapi.json')) as { paths: Record<string, object> }
  const idIn: Record<string, string> = {
    '/v1/responses/{id}': made.response_id,
    '/v1/responses/{id}/input_items': made.response_id,
    '/v1/responses/{id}/cancel': made.response_id,
    '/v1/decisions/{id}': made.request_id,
  }
  // What any inference route takes, each time with something of Alice's that could be continued.
  const body = {
    model: 'auto',
    messages: [{ role: 'user', content: 'Hi' }],
    input: 'Hi',
    prompt: 'Hi',
    max_tokens: 10,
    query: 'Hi',
    documents: ['Hi'],
    input_prefix: 'Hi',
    input_suffix: 'Ho',
    previous_response_id: made.response_id,
    task: 'Say hi.',
    context_length: 0,
    task_id: made.task_id,
    job_id: made.job_id,
    request_id: made.request_id,
    score: 0,
  }
  for (const [path, methods] of Object.entries(paths)) {
    // Operations have their own test, which knows their inputs.
    if (path.startsWith('/admin/')) continue
    for (const method of Object.keys(methods)) {
      const where = filled(path, { ...made, id: idIn[path] ?? 'auto' })
      const said = await bob.text(method.toUpperCase(), where, method === 'get' ? undefined : body)
      t.same(shown(said, marks, { where, body }), [], `${method} ${path}`)
    }
  }
  for (const path of Object.keys(idIn)) {
    const method = path.endsWith('/cancel') ? 'POST' : 'GET'
    t.match(await bob.text(method, filled(path, { id: idIn[path]! }), {}), /not_found/, path)
  }
  const goingOn = { model: 'auto', input: 'And?', previous_response_id: made.response_id }
  t.match(await bob.text('POST', '/v1/responses', goingOn), /not_found/, 'her conversation is not there to go on with')
  t.same(await alicesView(), before, 'and everything is as it was')
})

t.test('a key’s own things are there for it, by the same operations and routes', async t => {
  const { alice, made } = await setUp(t)
  t.match(JSON.parse(await alice.text('POST', '/admin/get_task_status', { task_id: made.task_id })), {
    result: { text: answer },
  })
  t.match(JSON.parse(await alice.text('GET', `/v1/responses/${made.response_id}`)), { id: made.response_id })
  t.match(JSON.parse(await alice.text('GET', `/v1/decisions/${made.request_id}`)), { request_id: made.request_id })
  t.match(JSON.parse(await alice.text('POST', '/admin/list_tasks', {})), { total: 2 })
  t.match(
    JSON.parse(await alice.text('POST', '/v1/responses', { input: 'And?', previous_response_id: made.response_id })),
    {
      status: 'completed',
    },
  )
})

t.test('an administrator sees what every key made', async t => {
  const { root, made } = await setUp(t)
  t.match(JSON.parse(await root.text('POST', '/admin/get_task_status', { task_id: made.task_id })), {
    result: { text: answer },
  })
  t.match(JSON.parse(await root.text('GET', `/v1/decisions/${made.request_id}`)), { request_id: made.request_id })
  t.match(JSON.parse(await root.text('POST', '/admin/cancel_task', { task_id: made.running_task_id })), {
    cancelled_jobs: [made.running_job_id],
  })
})

t.test('no resource of MCP, and no completion of one, tells a key of another', async t => {
  const { bob, made, marks } = await setUp(t)
  for (const { connect } of agentKinds.filter(isOverHttp)) {
    const agent = await connect(t, bob.mcp)
    for (const { uri, complete = {} } of resources) {
      const address = uri.replace('{jobId}', made.job_id).replace(/\{\w+\}/, 'llama-cpp')
      const said = await agent.read(address).then(content => JSON.stringify(content), String)
      t.same(shown(said, marks, address), [], address)
      if (uri.includes('{jobId}')) t.match(said, /Unknown job/, 'the job is not there')
      for (const variable of Object.keys(complete)) {
        t.same(shown(JSON.stringify(await agent.complete(uri, variable, '')), marks, ''), [], `${uri} completed`)
      }
    }
  }
})

t.test('live events tell a watcher of its own jobs only', async t => {
  const { alice, bob, root, marks, made, release } = await setUp(t)
  const watchers = { alice: await alice.watch(), bob: await bob.watch(), root: await root.watch() }
  const own = JSON.parse(await bob.text('POST', '/admin/route_task', { task: 'Say hi.', context_length: 0 })) as {
    task_id: string
  }
  await bob.text('POST', '/admin/get_task_status', { task_id: own.task_id, wait_seconds: 20 })
  release()
  await alice.text('POST', '/admin/get_task_status', { task_id: made.running_task_id, wait_seconds: 20 })
  const finished = (taskId: string) => (message: string) => message.includes(taskId) && message.includes('"completed"')
  await Promise.all([
    watchers.alice.until(finished(made.running_task_id)),
    watchers.bob.until(finished(own.task_id)),
    watchers.root.until(finished(made.running_task_id)),
  ])
  t.same(shown(watchers.bob.heard.join('\n'), marks, ''), [], 'nothing of Alice’s')
  t.notOk(watchers.alice.heard.join('\n').includes(own.task_id), 'and she hears nothing of Bob’s')
  t.match(JSON.parse(watchers.bob.heard[0]!), { jobs: [], queue: { tasks: { completed: 0, in_progress: 0 } } })
  t.ok(watchers.root.heard.join('\n').includes(own.task_id), 'an administrator hears of all')
})

t.test('a session of MCP is there for its own key only', async t => {
  const { url } = await setUp(t)
  const post = async (key: string, session: string | undefined, message: object) =>
    fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session !== undefined && { 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    })
  const clientInfo = { name: 'test', version: '1.0.0' }
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
  const opened = await post('a-key', undefined, { method: 'initialize', params })
  const session = opened.headers.get('mcp-session-id')!
  t.equal((await post('b-key', session, { method: 'tools/list' })).status, 404)
  const ended = await fetch(`${url}/mcp`, {
    method: 'DELETE',
    headers: { authorization: 'Bearer b-key', 'mcp-session-id': session },
  })
  t.equal(ended.status, 404)
  t.equal((await post('a-key', session, { method: 'tools/list' })).status, 200)
})

t.test('where a conversation of one key goes on sways no decision of another, whatever session it names', async t => {
  const { alice, bob } = await setUp(t)
  const messages = [{ role: 'user', content: 'Hello?' }]
  const session = { metadata: { session: 'shared' } }
  await alice.text('POST', '/v1/chat/completions', { model: 'llama-cpp/second', messages, ...session })
  const currentOf = async (user: typeof alice) => {
    const text = await user.text('POST', '/v1/route', { model: 'auto', messages, ...session })
    return (JSON.parse(text) as { decision: { criteria: { current?: string } } }).decision.criteria.current
  }
  t.equal(await currentOf(alice), 'llama-cpp/second')
  t.equal(await currentOf(bob), undefined)
})

interface Made {
  request_id: string
  response_id: string
  task_id: string
  job_id: string
  running_task_id: string
  running_job_id: string
}

/** Inputs for each operation: the documented example, and whatever names something of Alice's or could list it. */
function inputsOf(made: Made): Record<string, object[]> {
  const { task_id, job_id, running_task_id, running_job_id, request_id, response_id } = made
  const more: Record<string, object[]> = {
    get_task_status: [{ task_id: running_task_id, wait_seconds: 1 }, { task_id: job_id }],
    cancel_task: [{ task_id: running_task_id }],
    cancel_job: [{ job_id: running_job_id }],
    get_job: [{ job_id: running_job_id }],
    rate_result: [
      { request_id, score: 0 },
      { task_id: running_task_id, score: 0 },
      { request_id: response_id, score: 0 },
    ],
    list_tasks: [{}, { q: 'safe' }, { status: 'in_progress' }],
    list_queue: [{ task_id }, { task_id: running_task_id, active: true }, { q: 'safe' }, { status: 'completed' }],
    cost: [{ period: 'all', group_by: 'key' }],
  }
  return Object.fromEntries(
    Object.entries(examples({ task_id, job_id })).map(([name, { works }]) => [name, [works, ...(more[name] ?? [])]]),
  )
}

/** The marks that a text shows, except for those that the asker brought. */
function shown(text: string, marks: readonly string[], asked: unknown): string[] {
  return marks.filter(mark => text.includes(mark) && !JSON.stringify(asked).includes(mark))
}

function mentions(input: object, made: Made): boolean {
  const text = JSON.stringify(input)
  return Object.values(made).some(id => text.includes(String(id)))
}

function filled(path: string, values: object): string {
  return path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => String((values as Record<string, unknown>)[name]))
}

function isOverHttp({ name }: { name: string }): boolean {
  return name.includes('HTTP')
}

async function setUp(t: Test) {
  const held = gate()
  t.teardown(held.open)
  const knowing = ({ body }: SeenRequest) => {
    const text = JSON.stringify(body)
    if (!text.includes(question)) return { text: 'Hello.' }
    return text.includes('Wait')
      ? { text: answer, hold: { before: 'headers' as const, until: held.opened } }
      : { text: answer }
  }
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['first', 'second'], answer: knowing })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const { url, core } = await startGateway(t, {
    ...variablesFor(local, remote),
    SIGNALBOX_API_KEY: 'alice=a-key,bob=b-key',
    SIGNALBOX_ADMIN_KEY: 'root=r-key',
    CODE_SEARCH_ROOTS: process.cwd(),
    PROVIDER_MAX_CONCURRENT_LOCAL: '8',
  })
  const [alice, bob, root] = [userOf(t, url, 'a-key'), userOf(t, url, 'b-key'), userOf(t, url, 'r-key')]
  const made = await makeEverything(alice, url)
  await local.untilChats(4)
  const alicesView = async () => {
    const { jobs } = JSON.parse(await alice.text('POST', '/admin/list_queue', {})) as { jobs: object[] }
    const usage = JSON.parse(await alice.text('GET', '/v1/usage')) as { totals: object }
    const ratings = []
    for await (const { request, rating } of core.ledger.decisions({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER })) {
      if (request.key_id === 'alice') ratings.push([request.id, rating])
    }
    return {
      jobs,
      totals: usage.totals,
      ratings,
      tasks: JSON.parse(await alice.text('POST', '/admin/list_tasks', {})) as unknown,
      response: await alice.text('GET', `/v1/responses/${made.response_id}`),
      decision: await alice.text('GET', `/v1/decisions/${made.request_id}`),
    }
  }
  const marks = [question, answer, comment, '"alice"', ...Object.values(made).map(String)]
  return { url, alice, bob, root, made, marks, alicesView, release: held.open }
}

/** One of everything that is kept for a key, with marks in it. */
async function makeEverything(alice: ReturnType<typeof userOf>, url: string): Promise<Made> {
  const chat = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: alice.headers,
    body: JSON.stringify({ model: 'local', messages: [{ role: 'user', content: question }] }),
  })
  await chat.text()
  const request_id = chat.headers.get('x-signalbox-request-id')!
  const json = async (path: string, body: object) =>
    JSON.parse(await alice.text('POST', path, body)) as Record<string, string>
  const { id } = await json('/v1/responses', { model: 'local', input: question })
  const task = await json('/admin/route_task', { task: question, context_length: 0 })
  await json('/admin/get_task_status', { task_id: task['task_id'], wait_seconds: 20 })
  await json('/v1/feedback', { request_id, score: 1, comment })
  const running = await json('/admin/route_task', { task: `${question} Wait.`, context_length: 0 })
  return {
    request_id,
    response_id: id!,
    task_id: task['task_id']!,
    job_id: task['job_id']!,
    running_task_id: running['task_id']!,
    running_job_id: running['job_id']!,
  }
}

/** What a test does in the name of one key. */
function userOf(t: Test, url: string, token: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return {
    headers,
    mcp: { url: `${url}/mcp`, stdio: { script: '' }, token },
    text: async (method: string, path: string, body?: object): Promise<string> => {
      const query = method === 'GET' && body !== undefined ? `?${queryOf(body)}` : ''
      const response = await fetch(`${url}${path}${query}`, {
        method,
        headers,
        ...(method !== 'GET' && body !== undefined && { body: JSON.stringify(body) }),
      })
      return await response.text()
    },
    /** Listens to live events; `until` resolves once one fits. */
    watch: async () => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers })
      t.teardown(() => {
        socket.close()
      })
      const heard: string[] = []
      let wake = () => {}
      socket.addEventListener('message', ({ data }) => {
        heard.push(String(data))
        wake()
      })
      const came = () =>
        new Promise<void>(resolve => {
          wake = resolve
        })
      if (heard.length === 0) await came()
      return {
        heard,
        until: async (fits: (message: string) => boolean) => {
          while (!heard.some(fits)) await came()
        },
      }
    },
  }
}

function queryOf(values: object): string {
  return new URLSearchParams(
    Object.entries(values).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()
}
