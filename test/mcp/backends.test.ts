import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { operations } from '../../src/operations/index.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { aloneVariables, startFromFiles } from '../helpers/start-from-files.ts'
import { agentKinds, type Agent } from './agents.ts'

const openrouterTools = operations.filter(({ needs }) => needs === 'openrouter').map(({ name }) => name)
const key = 'OPENROUTER_API_KEY=sk-or-test\n'

t.test(
  'agents of every revision are shown OpenRouter’s tools when its key is written, until it is removed',
  async t => {
    const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
    const { url, root, write } = await startFromFiles(t, { OPENROUTER_ENDPOINT: remote.url, QUALITY_THRESHOLD: '0' })
    const targets = {
      url: `${url}/mcp`,
      // It finds the running one by its data directory and attaches to it.
      stdio: { script: 'bin/signalbox.js', args: ['mcp'], env: { SIGNALBOX_ROOT: root } },
    }
    const agents = await Promise.all(agentKinds.map(({ connect }) => connect(t, targets)))
    await comesAndGoes(t, agents, text => write('.env', text))
  },
)

t.test('an agent whose own process runs Signalbox sees them too', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const root = t.testdir()
  const env = { ...aloneVariables, SIGNALBOX_ROOT: root, OPENROUTER_ENDPOINT: remote.url, QUALITY_THRESHOLD: '0' }
  const stdio = agentKinds.filter(({ name }) => name.includes('stdio'))
  const agents = await Promise.all(
    stdio.map(({ connect }) => connect(t, { url: '', stdio: { script: 'bin/signalbox.js', args: ['mcp'], env } })),
  )
  await comesAndGoes(t, agents, text => {
    writeFileSync(path.join(root, '.env'), text)
  })
})

async function comesAndGoes(t: Test, agents: readonly Agent[], write: (text: string) => void): Promise<void> {
  for (const agent of agents) {
    t.same(await shownTools(agent), [])
    t.match(await agent.callTool('get_free_models').catch(String), /get_free_models/)
  }
  const comings = await Promise.all(agents.map(agent => agent.watchTools()))
  write(key)
  await Promise.all(comings.map(({ changed }) => changed))
  for (const agent of agents) {
    t.same(await shownTools(agent), openrouterTools)
    t.ok((await agent.listResources()).includes('locallama://openrouter/models'))
    t.match(await agent.read('locallama://openrouter/status'), { servers: [{ name: 'openrouter', state: 'up' }] })
    t.match(await agent.callTool('get_free_models'), { structuredContent: { models: [{ id: 'open/gift:free' }] } })
    const task = await agent.callTool('route_task', { task: 'Say hello.', context_length: 0 })
    const { task_id } = task.structuredContent as { task_id: string }
    t.match(await agent.callTool('get_task_status', { task_id, wait_seconds: 30 }), {
      structuredContent: { status: 'completed', model: 'openrouter/open/gift:free' },
    })
  }
  const goings = await Promise.all(agents.map(agent => agent.watchTools()))
  write('')
  await Promise.all(goings.map(({ changed }) => changed))
  for (const agent of agents) {
    t.same(await shownTools(agent), [])
    t.notOk((await agent.listResources()).some(uri => uri.includes('openrouter')))
    t.match(await agent.callTool('status'), { structuredContent: { servers: [] } })
  }
}

async function shownTools(agent: Agent): Promise<string[]> {
  return (await agent.listTools()).map(({ name }) => name).filter(name => openrouterTools.includes(name))
}
