import vm from 'node:vm'
import t from 'tap'
import { inProcessClient } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { agentKinds } from './agents.ts'

t.test('the results of tools with a card are shown in it, and what a model wrote stays text', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: 'Said <img src=x onerror=alert(1)>.' } })
  const gateway = await startGateway(t, variablesFor(local))
  const agent = await agentKinds[3]!.connect(t, { url: `${gateway.url}/mcp`, stdio: { script: '' } })
  const tools = (await agent.listTools()) as { name: string; _meta?: { ui?: { resourceUri?: string } } }[]
  const cards = new Map(
    tools.flatMap(({ name, _meta }) =>
      _meta?.ui?.resourceUri === undefined ? [] : [[name, _meta.ui.resourceUri] as const],
    ),
  )
  t.same(
    [...cards.keys()],
    operations.filter(({ card }) => card !== undefined).map(({ name }) => name),
  )

  const client = inProcessClient(operations, gateway.core)
  const { task_id } = await client.call('route_task', { task: 'Say it.', context_length: 0 })
  const done = await client.call('get_task_status', { task_id, wait_seconds: 20 })
  const task = await openCard(await agent.readText(cards.get('get_task_status')!))
  t.match(task.sent[0], { method: 'ui/initialize', params: { protocolVersion: '2026-01-26', appCapabilities: {} } })
  await task.answer({ protocolVersion: '2026-01-26', hostCapabilities: {}, hostContext: {} })
  t.match(task.sent[1], { method: 'ui/notifications/initialized' })
  task.notify('ui/notifications/tool-result', { content: [], structuredContent: done })
  t.match(task.shown(), ['h1: Task completed', 'p: llama-cpp/scripted', 'pre: Said <img src=x onerror=alert(1)>.'])
  t.match(task.sent.at(-1), { method: 'ui/notifications/size-changed' })

  const decided = await client.call('preemptive_route_task', { task: 'Say it.', context_length: 0 })
  const decision = await openCard(await agent.readText(cards.get('preemptive_route_task')!))
  decision.notify('ui/notifications/tool-result', { content: [], structuredContent: decided })
  t.match(decision.shown().slice(0, 2), ['h1: llama-cpp/scripted', `p: ${String(decided['reason'])}`])
  decision.notify('ui/notifications/tool-result', {
    isError: true,
    content: [{ type: 'text', text: 'invalid_request: no.' }],
  })
  t.same(decision.shown(), ['p: invalid_request: no.'])
})

t.test('a card asks for a running task again until it has ended', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const agent = await agentKinds[3]!.connect(t, { url: `${gateway.url}/mcp`, stdio: { script: '' } })
  const card = await openCard(await agent.readText('ui://signalbox/task'))
  const base = { task_id: 'task_1', provider: null, model: null, error: null, result: null, progress: null }
  const running = { ...base, status: 'running', queue_position: 0, progress_message: 'Half.' }
  card.notify('ui/notifications/tool-result', { content: [], structuredContent: running })
  t.match(card.shown(), ['h1: Task running', 'p: ', 'progress: ', 'p: Half.'])
  await card.passTime()
  t.match(card.sent.at(-1), {
    method: 'tools/call',
    params: { name: 'get_task_status', arguments: { task_id: 'task_1' } },
  })
  const ended = { ...running, status: 'completed', progress_message: null, result: { text: 'Done.' } }
  await card.answer({ content: [], structuredContent: ended })
  t.match(card.shown(), ['h1: Task completed', 'p: ', 'pre: Done.'])
  t.equal(card.timers(), 0)
})

interface Rpc {
  id?: number
  method?: string
}

/** Runs a card's script with the little of a browser that it uses. */
async function openCard(html: string) {
  const [, script = ''] = /<script>(.*)<\/script>/s.exec(html) ?? []
  const sent: Rpc[] = []
  const timers: (() => void)[] = []
  let listener: (event: unknown) => void = () => undefined
  let shown: FakeElement[] = []
  const parent = { postMessage: (message: Rpc) => sent.push(message) }
  const frame = { getBoundingClientRect: () => ({ width: 300, height: 100 }) }
  vm.runInNewContext(script, {
    Node: FakeElement,
    setTimeout: (run: () => void) => timers.push(run),
    document: {
      documentElement: frame,
      getElementById: () => ({ replaceChildren: (...elements: FakeElement[]) => (shown = elements) }),
      createElement: (name: string) => new FakeElement(name),
    },
    window: { parent, addEventListener: (_: string, listen: typeof listener) => (listener = listen) },
  })
  const settle = () => new Promise(resolve => setImmediate(resolve))
  await settle()
  return {
    sent,
    timers: () => timers.length,
    notify: (method: string, params: object) => listener({ source: parent, data: { jsonrpc: '2.0', method, params } }),
    async answer(result: object) {
      listener({
        source: parent,
        data: { jsonrpc: '2.0', id: sent.findLast(({ id }) => id !== undefined)?.id, result },
      })
      await settle()
    },
    async passTime() {
      for (const run of timers.splice(0)) run()
      await settle()
    },
    shown: () => shown.map(({ name, text }) => `${name}: ${text()}`),
  }
}

class FakeElement {
  readonly name: string
  readonly children: (string | FakeElement)[] = []

  constructor(name: string) {
    this.name = name
  }

  append(...children: (string | FakeElement)[]): void {
    this.children.push(...children)
  }

  text = (): string => this.children.map(child => (typeof child === 'string' ? child : child.text())).join('')
}
