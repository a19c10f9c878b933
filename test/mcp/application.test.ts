import t, { type Test } from 'tap'
import { resources } from '../../src/mcp/resource-list.ts'
import { inProcessClient } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import { gate, scriptedUpstream, type ScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { exampleBudget, exampleKey, examples, type DoneTask } from '../operations/examples.ts'
import { agentKinds, type Agent } from './agents.ts'

for (const { name, revision, connect } of agentKinds) {
  t.test(`${name} runs every tool and reads every resource of the application`, async t => {
    const { targets, done } = await startApplication(t)
    const agent = await connect(t, targets)
    t.equal(agent.revision, revision)
    const tools = await agent.listTools()
    t.same(
      tools.map(tool => tool.name),
      operations.map(operation => operation.name),
    )
    const table = examples(done)
    for (const { name: tool, output } of operations) {
      const { works, fails } = table[tool]!
      const result = await agent.callTool(tool, { ...works })
      t.not(result.isError, true, `${tool}: ${result.content[0]?.text ?? ''}`)
      t.ok(output.safeParse(result.structuredContent).success, `${tool} keeps to its schema`)
      t.same(JSON.parse(result.content[0]?.text ?? ''), result.structuredContent, `${tool} says the same as text`)
      if (fails === undefined) continue
      const failed = await agent.callTool(tool, { ...fails })
      t.match(failed, { isError: true, structuredContent: undefined }, `${tool} fails as it should`)
    }
    await readEverything(t, agent, done)
    t.same(await agent.listPrompts(), ['compare-models', 'delegate-to-local', 'search-before-reading'])
  })
}

t.test('progress and the end of a task reach a waiting agent and subscribers of its job', async t => {
  const held = gate()
  const { targets, local } = await startApplication(t)
  local.script = { answer: { text: ['one ', 'two'], hold: { before: 1, until: held.opened } } }
  const agents = await Promise.all(
    agentKinds.filter(({ name }) => name.includes('HTTP')).map(({ connect }) => connect(t, targets)),
  )
  for (const [index, agent] of agents.entries()) {
    const held = gate()
    local.script = { answer: { text: ['one ', 'two'], hold: { before: 1, until: held.opened } } }
    const chats = local.chats.length
    const task = (await agent.callTool('route_task', { task: 'Count.', context_length: 0 }))
      .structuredContent as DoneTask
    await local.untilChats(chats + 1)
    const { changed } = await agent.watchResource(`locallama://jobs/progress/${task.job_id}`)
    const steps: number[] = []
    const waiting = agent.callTool(
      'get_task_status',
      { task_id: task.task_id, wait_seconds: 30 },
      { onprogress: ({ progress }) => steps.push(progress) },
    )
    held.open()
    t.match((await waiting).structuredContent, { status: 'completed', result: { text: 'one two' } }, String(index))
    await changed
  }
})

t.test('without an OpenRouter API key its tools and resources are not listed', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const agent = await agentKinds[1]!.connect(t, { url: `${gateway.url}/mcp`, stdio: { script: '' } })
  const names = (await agent.listTools()).map(tool => tool.name)
  const wanting = operations.filter(({ needs }) => needs === 'openrouter').map(operation => operation.name)
  t.ok(wanting.length >= 4)
  t.notOk(names.some(name => wanting.includes(name)))
  t.notOk((await agent.listResources()).some(uri => uri.includes('openrouter')))
})

async function readEverything(t: Test, agent: Agent, { job_id }: DoneTask): Promise<void> {
  const listed = [...(await agent.listResources()), ...(await agent.listTemplates())]
  const cards = listed.filter(uri => uri.startsWith('ui://'))
  t.same(cards, ['ui://signalbox/task', 'ui://signalbox/decision'])
  const ours = listed.filter(uri => !cards.includes(uri))
  t.same(ours.sort(), resources.map(({ uri }) => uri).sort())
  const values: Record<string, string> = { api: 'llama-cpp', jobId: job_id, modelId: 'open/gift:free' }
  for (const uri of ours) {
    const [, variable = ''] = /\{(\w+)\}/.exec(uri) ?? []
    const content = await agent.read(uri.replace(`{${variable}}`, values[variable] ?? ''))
    t.type(content, 'object', uri)
    if (variable === '') continue
    const completed = await agent.complete(uri, variable, '')
    t.ok(completed.length > 0, `${uri} completes`)
    await t.rejects(agent.read(uri.replace(`{${variable}}`, 'no/such')), { code: -32_602 })
  }
}

const token = 'sesame'

async function startApplication(t: Test) {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, {
    QUALITY_THRESHOLD: '0',
    ...variablesFor(local, remote),
    CODE_SEARCH_ROOTS: process.cwd(),
    // Once a key has been issued, nobody gets in without one.
    SIGNALBOX_API_KEY: token,
  })
  const client = inProcessClient(operations, gateway.core)
  await client.call('create_api_key', { name: exampleKey })
  await client.call('set_budget', { name: `${exampleBudget}-0`, limit_usd: 10 })
  const { task_id } = (await client.call('route_task', {
    task: 'Say hello.',
    context_length: 0,
  })) as unknown as DoneTask
  const done = (await client.call('get_task_status', { task_id, wait_seconds: 20 })) as unknown as DoneTask
  return {
    local: local satisfies ScriptedUpstream,
    done,
    targets: {
      url: `${gateway.url}/mcp`,
      token,
      // It finds the running application by its data directory and attaches to it.
      stdio: { script: 'bin/signalbox.js', args: ['mcp'], env: { SIGNALBOX_ROOT: gateway.core.config().root } },
    },
  }
}
