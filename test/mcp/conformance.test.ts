import { execFile } from 'node:child_process'
import path from 'node:path'
import { InMemoryServerEventBus } from '@modelcontextprotocol/server'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { mountMcp } from '../../src/mcp/http.ts'
import { fixtureServer } from './fixture-server.ts'

const suite = path.resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js')

for (const revision of ['2025-11-25', '2026-07-28']) {
  t.test(`the public conformance suite passes on our mount for revision ${revision}`, async t => {
    const url = await startFixture(t)
    const { code, output } = await runSuite(t, ['--url', url, '--requirements', revision])
    t.equal(code, 0, 'every required scenario passes')
    if (code !== 0) t.comment(output)
    t.match(output, /=== SUMMARY ===/)
  })
}

async function startFixture(t: Test): Promise<string> {
  const bus = new InMemoryServerEventBus()
  const app = Fastify({ forceCloseConnections: true })
  mountMcp(app, { factory: fixtureServer(bus), bus })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  return `${address}/mcp`
}

function runSuite(t: Test, options: string[]): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [suite, 'server', ...options],
      { cwd: t.testdir(), timeout: 60_000 },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${out}\n${err}` })
      },
    )
  })
}
