import t, { type Test } from 'tap'
import { tasksExtension } from '../../src/mcp/task-extension.ts'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const capability = { extensions: { [tasksExtension]: {} } }
const hello = { name: 'route_task', arguments: { task: 'Say hello.', context_length: 0 } }

t.test('a client that follows tasks is given route_task’s as one, and finds the result in it', async t => {
  const held = gate()
  const { ask, local } = await start(t)
  local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
  t.match(await ask('server/discover', {}), { result: { capabilities: { extensions: { [tasksExtension]: {} } } } })
  const { result: task } = await ask('tools/call', hello)
  t.match(task, { resultType: 'task', status: 'working', ttlMs: null, pollIntervalMs: 1000 })
  const { taskId } = task as { taskId: string }
  t.match(await ask('tasks/get', { taskId }), { result: { resultType: 'complete', taskId, status: 'working' } })
  held.open()
  t.match(await ended(ask, taskId), {
    status: 'completed',
    result: { structuredContent: { task_id: taskId, status: 'completed', result: { text: 'Hello from llama-cpp.' } } },
  })
})

t.test('a followed task whose model fails ends with a result that is an error', async t => {
  const { ask, local } = await start(t)
  local.script = { answer: { error: { status: 400, message: 'Too hard.' } } }
  const { result } = await ask('tools/call', hello)
  const task = await ended(ask, (result as { taskId: string }).taskId)
  t.match(task, { status: 'completed', result: { isError: true, content: [{ text: /Too hard/ }] } })
})

t.test('a followed task is cancelled by its client', async t => {
  const held = gate()
  t.teardown(held.open)
  const { ask, local } = await start(t)
  local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
  const { result } = await ask('tools/call', hello)
  const { taskId } = result as { taskId: string }
  await local.untilChats(1)
  t.match(await ask('tasks/cancel', { taskId }), { result: { resultType: 'complete' } })
  t.match(await ended(ask, taskId), { status: 'cancelled', result: undefined })
  await local.untilHangUps(1)
})

t.test('a client that does not follow tasks gets the tool’s own result, and no task by any other way', async t => {
  const { ask } = await start(t)
  const { result } = await ask('tools/call', hello, {})
  t.match(result, { resultType: 'complete', structuredContent: { task_id: /^task_/ } })
  const { task_id: taskId } = (result as { structuredContent: { task_id: string } }).structuredContent
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    t.match(await ask(method, { taskId, inputResponses: {} }, {}), {
      error: { code: -32_021, data: { requiredCapabilities: capability } },
    })
  }
})

t.test('a task of another key does not exist, whatever is asked of it', async t => {
  const { ask } = await start(t, { SIGNALBOX_API_KEY: 'alice=sesame,bob=barley' })
  const { result } = await ask('tools/call', hello, capability, 'sesame')
  const { taskId } = result as { taskId: string }
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    const answer = await ask(method, { taskId, inputResponses: {} }, capability, 'barley')
    t.match(answer, { error: { code: -32_602, message: `Unknown task: ${taskId}.` } }, method)
  }
  t.match(await ask('tasks/get', { taskId }, capability, 'sesame'), { result: { taskId } })
})

interface RpcAnswer {
  result?: Record<string, unknown>
  error?: { code: number; message: string; data?: unknown }
}
type Ask = (method: string, params: Record<string, unknown>, capabilities?: object, key?: string) => Promise<RpcAnswer>

async function start(t: Test, variables: Record<string, string> = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, { ...variablesFor(local), ...variables })
  let id = 0
  const ask: Ask = async (method, params, capabilities = capability, key) => {
    const name = params['name'] ?? params['taskId']
    const response = await fetch(`${gateway.url}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(typeof name === 'string' && { 'mcp-name': name }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: ++id,
        method,
        params: {
          ...params,
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
            'io.modelcontextprotocol/clientCapabilities': capabilities,
          },
        },
      }),
    })
    const text = await response.text()
    const [, event] = /^data: (.*)$/m.exec(text) ?? []
    return JSON.parse(event ?? text) as RpcAnswer
  }
  return { ask, local }
}

/** The task when it has ended. */
async function ended(ask: Ask, taskId: string): Promise<unknown> {
  for (;;) {
    const { result } = await ask('tasks/get', { taskId })
    if (result?.['status'] !== 'working') return result
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
