import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import path from 'node:path'
import t, { type Test } from 'tap'
import { readInstance } from '../../src/instance.ts'
import { operations } from '../../src/operations/index.ts'
import type { TaskStatus } from '../../src/operations/task-view.ts'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { variablesFor } from '../helpers/start-gateway.ts'

t.test('stdout carries only JSON-RPC whatever is logged, and the process ends with stdin', async t => {
  const { startAgent } = await startMachine(t, { LOG_LEVEL: 'trace' })
  const agent = startAgent()
  await agent.initialize()
  t.match(await agent.call('status'), { structuredContent: { servers: [{ name: 'llama-cpp' }] } })
  t.match(await agent.call('route_task', { task: 'Say hello.', context_length: 0 }), { structuredContent: {} })
  agent.child.stdin.end()
  const [code] = (await once(agent.child, 'exit')) as [number]
  t.equal(code, 0)
  t.ok(agent.lines.length >= 3)
  for (const line of agent.lines) t.equal((JSON.parse(line) as { jsonrpc: string }).jsonrpc, '2.0')
})

t.test(
  'the handshake is answered while the core still starts, and what an agent asks meanwhile is answered then',
  async t => {
    const held = gate()
    const { startAgent, local } = await startMachine(t)
    local.script = { holdLists: held.opened }
    const agent = startAgent()
    await agent.initialize()
    const asked = Promise.all([agent.ask('tools/list'), agent.call('status'), agent.ask('ping')])
    await local.untilRequests(1)
    t.equal(agent.lines.length, 1, 'only the handshake')
    held.open()
    const [list, status] = await asked
    t.match(list, { tools: [{ name: 'route_task' }] })
    t.match(status, { structuredContent: { servers: [{ name: 'llama-cpp', state: 'up' }] } })
  },
)

t.test('an agent that asks more than can wait while the core starts still gets every answer', async t => {
  const held = gate()
  const { startAgent, local } = await startMachine(t)
  local.script = { holdLists: held.opened }
  const agent = startAgent()
  await agent.initialize()
  const asked = Promise.all(Array.from({ length: 300 }, () => agent.ask('prompts/list')))
  await local.untilRequests(1)
  held.open()
  t.equal((await asked).length, 300)
})

t.test('agents that start at the same instant share one core, and see each other’s tasks', async t => {
  const { folder, startAgent } = await startMachine(t)
  const agents = [startAgent(), startAgent(), startAgent()]
  await Promise.all(agents.map(agent => agent.connect()))
  const owner = agents.filter(({ child }) => child.pid === readInstance(folder)?.pid)
  t.equal(owner.length, 1)
  const submitted = await agents[0]!.structured('route_task', { task: 'Say hello.', context_length: 0 })
  for (const agent of agents) {
    const done = await agent.structured('get_task_status', { task_id: submitted.task_id, wait_seconds: 20 })
    t.match(done, { status: 'completed', result: { text: 'Hello from llama-cpp.' } })
  }
})

t.test(
  'when the owner is killed another process takes over without a client error, and the task runs again',
  async t => {
    const held = gate()
    const { folder, startAgent, local } = await startMachine(t)
    local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
    const owner = startAgent()
    await owner.connect()
    const heirs = [startAgent(), startAgent()]
    await Promise.all(heirs.map(agent => agent.connect()))
    const task = await heirs[0]!.structured('route_task', { task: 'Say hello.', context_length: 0 })
    await local.untilChats(1)
    const waiting = heirs.map(agent => agent.structured('get_task_status', { task_id: task.task_id, wait_seconds: 60 }))
    owner.child.kill('SIGKILL')
    await local.untilChats(2)
    held.open()
    for (const done of await Promise.all(waiting)) {
      t.match(done, { status: 'completed', runs: 2, result: { text: 'Hello from llama-cpp.' } })
    }
    const { pid } = readInstance(folder) ?? {}
    t.equal(heirs.filter(({ child }) => child.pid === pid).length, 1)
    t.equal(local.chats.length, 2)
  },
)

t.test('a task whose process dies twice fails with a reason, and a queued one is not affected', async t => {
  const held = gate()
  t.teardown(held.open)
  const { startAgent, local } = await startMachine(t)
  local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
  const first = startAgent()
  await first.connect()
  const running = await first.structured('route_task', { task: 'Say hello.', context_length: 0 })
  const waiting = await first.structured('route_task', { task: 'Say goodbye.', context_length: 0 })
  await local.untilChats(1)
  const dieAndRise = async (before: typeof first, chats: number) => {
    before.child.kill('SIGKILL')
    await once(before.child, 'exit')
    const after = startAgent()
    await after.connect()
    await local.untilChats(chats)
    return after
  }
  const second = await dieAndRise(first, 2)
  const third = await dieAndRise(second, 3)
  t.match(await third.structured('get_task_status', { task_id: running.task_id }), {
    status: 'failed',
    runs: 2,
    error: { message: /stopped while the task was running. That was its second attempt/ },
  })
  held.open()
  const done = await third.structured('get_task_status', { task_id: waiting.task_id, wait_seconds: 20 })
  t.match(done, { status: 'completed', runs: 1 })
})

t.test('signalbox serve keeps the core while agents come and go', async t => {
  const { folder, startAgent, environment } = await startMachine(t)
  const server = spawn(process.execPath, [main, 'serve'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill('SIGKILL'))
  await once(server.stdout, 'data')
  const agent = startAgent()
  await agent.connect()
  agent.child.stdin.end()
  await once(agent.child, 'exit')
  t.equal(readInstance(folder)?.pid, server.pid)
  const second = spawn(process.execPath, [main, 'serve'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  const [[line], [code]] = await Promise.all([
    once(createInterface(second.stdout), 'line'),
    once(second, 'exit') as Promise<[number]>,
  ])
  t.match(line, `Signalbox already runs at ${readInstance(folder)?.url ?? ''} (process ${String(server.pid)})`)
  t.equal(code, 0)
})

t.test('an agent can use a remote Signalbox, with its API key, read-only', async t => {
  const { folder, startAgent, environment } = await startMachine(t, { SIGNALBOX_API_KEY: 'alice=sesame' })
  const server = spawn(process.execPath, [main, 'serve'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill('SIGKILL'))
  await once(server.stdout, 'data')
  const agent = startAgent(['--target', readInstance(folder)?.url ?? '', '--api-key', 'sesame', '--read-only'])
  await agent.connect()
  const { tools } = (await agent.ask('tools/list')) as { tools: { name: string; annotations: object }[] }
  for (const { name, annotations } of tools) t.match(annotations, { readOnlyHint: true }, name)
  t.match(await agent.call('status'), { structuredContent: { servers: [{ name: 'llama-cpp' }] } })
  t.match(await agent.ask('tools/call', { name: 'route_task', arguments: {} }).catch(String), /route_task/)
})

t.test('an agent of a remote Signalbox is shown the tools that its key may call, and no others', async t => {
  const { folder, startAgent, environment } = await startMachine(t, {
    SIGNALBOX_API_KEY: 'alice=sesame',
    SIGNALBOX_ADMIN_KEY: 'root=open',
  })
  const server = spawn(process.execPath, [main, 'serve'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill('SIGKILL'))
  await once(server.stdout, 'data')
  const toolsFor = async (key: string) => {
    const agent = startAgent(['--target', readInstance(folder)?.url ?? '', '--api-key', key])
    await agent.initialize()
    const { tools } = (await agent.ask('tools/list')) as { tools: { name: string }[] }
    return tools.map(({ name }) => name)
  }
  const listed = operations.filter(({ needs }) => needs === undefined)
  const [user, admin] = [await toolsFor('sesame'), await toolsFor('open')]
  const forAll = listed.filter(({ access }) => access !== 'admin')
  t.ok(forAll.length < listed.length)
  t.same(
    user.filter(name => !codeSearch.includes(name)),
    forAll.map(({ name }) => name),
  )
  t.same(
    admin.filter(name => !codeSearch.includes(name)),
    listed.map(({ name }) => name),
  )
})

t.test('an agent that a remote Signalbox does not let in hears why at once', async t => {
  const { folder, environment } = await startMachine(t, { SIGNALBOX_API_KEY: 'alice=sesame' })
  const server = spawn(process.execPath, [main, 'serve'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => server.kill('SIGKILL'))
  await once(server.stdout, 'data')
  const url = readInstance(folder)?.url ?? ''
  const other = await scriptedUpstream(t, 'llama-cpp')
  for (const [args, reason] of [
    [['--target', url, '--api-key', 'wrong'], /rejected the API key; check --api-key/],
    [['--target', other.url], /answers, but not as a Signalbox/],
  ] as const) {
    const variables = { ...environment, SIGNALBOX_API_KEY: '' }
    const child = spawn(process.execPath, [main, 'mcp', ...args], { env: variables, stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.on('data', text => (said += String(text)))
    const [code] = (await once(child, 'close')) as [number]
    t.equal(code, 1)
    t.match(said, reason)
    t.notMatch(said, /No Signalbox answers/, 'it did not go on trying')
  }
})

t.test('the program configured for agents runs from a plain clone', async t => {
  const { environment } = await startMachine(t)
  const child = spawn(process.execPath, [path.resolve('bin/signalbox.js'), 'mcp', '--help'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [[said], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit') as Promise<[number]>])
  t.equal(code, 0)
  t.match(String(said), /^Usage: signalbox mcp /)
})

t.test('bad arguments are one line and exit code 2', async t => {
  const { environment } = await startMachine(t)
  for (const args of [['--target', 'nowhere'], ['--taget', 'x'], ['--help']]) {
    const child = spawn(process.execPath, [main, 'mcp', ...args], { env: environment, stdio: ['pipe', 'pipe', 'pipe'] })
    const [said] = (await once(args[0] === '--help' ? child.stdout : child.stderr, 'data')) as [Buffer]
    const [code] = (await once(child, 'exit')) as [number]
    t.equal(code, args[0] === '--help' ? 0 : 2)
    t.match(String(said), args[0] === '--help' ? /--read-only/ : /^signalbox: .*\n$/)
  }
})

const main = path.resolve('bin/signalbox.js')
const codeSearch = operations.filter(({ needs }) => needs === 'code-search').map(({ name }) => name)

async function startMachine(t: Test, variables: Record<string, string> = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const root = t.testdir()
  const environment = {
    PATH: process.env['PATH'] ?? '',
    SIGNALBOX_ROOT: root,
    PORT: '0',
    LOG_LEVEL: 'error',
    OLLAMA_ENDPOINT: 'off',
    LM_STUDIO_ENDPOINT: 'off',
    ...variablesFor(local),
    ...variables,
  }
  const startAgent = (args: string[] = []) => startStdioAgent(t, environment, args)
  return { local, environment, startAgent, folder: path.join(root, 'data') }
}

/** An agent that writes and reads the lines itself, so that nothing on stdout can go unseen. */
function startStdioAgent(t: Test, environment: Record<string, string>, args: string[]) {
  const child = spawn(process.execPath, [main, 'mcp', ...args], {
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdin.on('error', () => undefined)
  const lines: string[] = []
  const waiting = new Map<number, (message: { result?: unknown; error?: { message: string } }) => void>()
  createInterface(child.stdout).on('line', line => {
    lines.push(line)
    const message = JSON.parse(line) as { id?: number; result?: unknown; error?: { message: string } }
    if (message.id !== undefined) waiting.get(message.id)?.(message)
  })
  let lastId = 0
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const ask = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result)
        else reject(new Error(error.message))
      })
      send({ id, method, params })
    })
  const call = (name: string, input: object = {}) => ask('tools/call', { name, arguments: input })
  const initialize = async () => {
    const clientInfo = { name: 'test', version: '1.0.0' }
    await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo })
    send({ method: 'notifications/initialized' })
  }
  return {
    child,
    lines,
    initialize,
    /** Waits for the core too. */
    connect: async () => {
      await initialize()
      await ask('tools/list')
    },
    ask,
    call,
    structured: async (name: string, input: object = {}) => {
      const result = (await call(name, input)) as { structuredContent: TaskStatus; isError?: boolean; content: unknown }
      if (result.isError === true) throw new Error(JSON.stringify(result.content))
      return result.structuredContent
    },
  }
}
