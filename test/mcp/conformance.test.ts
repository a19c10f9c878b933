import { execFile } from 'node:child_process'
import path from 'node:path'
import { InMemoryServerEventBus, type McpServerFactory } from '@modelcontextprotocol/server'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { mountMcp } from '../../src/mcp/http.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { fixtureServer } from './fixture-server.ts'
import { taskFixtureServer } from './fixture-tasks.ts'

const suite = path.resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js')

for (const revision of ['2025-11-25', '2026-07-28']) {
  t.test(`the public conformance suite passes on our mount for revision ${revision}`, async t => {
    const url = await startFixture(t)
    const folder = t.testdir()
    const { code, output } = await runSuite(folder, ['--url', url, '--requirements', revision])
    t.equal(code, 0, 'every required scenario passes')
    if (code !== 0) t.comment(output)
    t.match(output, /=== SUMMARY ===/)
  })
}

t.test('the scenarios of the tasks extension pass on our implementation of it', async t => {
  const url = await startFixture(t, () => taskFixtureServer())
  const folder = t.testdir()
  for (const scenario of taskScenarios) {
    const { code, output } = await runSuite(folder, ['--url', url, '--scenario', scenario])
    t.equal(code, 0, scenario)
    if (code !== 0) t.comment(output)
  }
})

t.test('the scenarios that need no fixture pass on the application itself', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const folder = t.testdir()
  for (const [revision, scenarios] of Object.entries(fixtureFree)) {
    const runs = scenarios.map(async scenario => {
      const options = ['--url', `${gateway.url}/mcp`, '--scenario', scenario, '--spec-version', revision]
      const { code, output } = await runSuite(folder, options)
      t.equal(code, 0, `${scenario} of ${revision}`)
      if (code !== 0) t.comment(output)
    })
    await Promise.all(runs)
  }
})

/** What the suite requires of any server, whatever its tools are. */
const fixtureFree = {
  '2025-11-25': [
    'server-initialize',
    'server-session-lifecycle',
    'ping',
    'tools-list',
    'resources-list',
    'prompts-list',
    'dns-rebinding-protection',
  ],
  '2026-07-28': [
    'caching',
    'tools-list',
    'resources-list',
    'prompts-list',
    'sep-2164-resource-not-found',
    'dns-rebinding-protection',
    'http-header-validation',
    'input-required-result-unsupported-methods',
  ],
}

const taskScenarios = [
  'tasks-lifecycle',
  'tasks-capability-negotiation',
  'tasks-wire-fields',
  'tasks-request-state-removal',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-dispatch-and-envelope',
  'tasks-status-notifications',
  'tasks-required-task-error',
  'tasks-mrtr-composition',
]

async function startFixture(
  t: Test,
  makeFactory: (bus: InMemoryServerEventBus) => McpServerFactory = fixtureServer,
): Promise<string> {
  const bus = new InMemoryServerEventBus()
  const app = Fastify({ forceCloseConnections: true })
  mountMcp(app, { factory: makeFactory(bus), bus })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  return `${address}/mcp`
}

function runSuite(cwd: string, options: string[]): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [suite, 'server', ...options], { cwd, timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${out}\n${err}` })
    })
  })
}
