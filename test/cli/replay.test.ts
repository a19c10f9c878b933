import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'

const command = path.resolve(import.meta.dirname, '../../bin/signalbox.js')

function replay(...args: string[]) {
  const child = spawn(process.execPath, [command, 'replay', ...args], { env: { PATH: process.env.PATH } })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve => {
    child.on('close', code => {
      resolve({ code, stdout, stderr })
    })
  })
}

t.test('stored requests are replayed under another policy, with their recorded outcomes', async t => {
  const folder = t.testdir()
  const data = path.join(folder, 'data')
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/big-70b', price: { input: 3, output: 15 } }],
    answer: { usage: { promptTokens: 100, outputTokens: 50, costUsd: 0.25 } },
  })
  const gateway = await startGateway(t, { ...variablesFor(local, remote), DATA_DIR: data, QUALITY_THRESHOLD: '0' })
  for (const [index, score] of [undefined, 0, 0.5, undefined].entries()) {
    const reply = await gateway.ask({ messages: [{ role: 'user', content: `Question ${index}?` }] })
    t.equal(reply.headers['x-signalbox-model'], 'llama-cpp/qwen3-coder-30b')
    if (score === undefined) continue
    const body = JSON.stringify({ request_id: reply.headers['x-signalbox-request-id'], score })
    t.equal((await exchange(`${gateway.url}/v1/feedback`, { method: 'POST', body })).status, 200)
  }
  await gateway.ask({ model: 'openrouter/lab/big-70b' })
  await gateway.core.ledger.flush()

  const policy = path.join(folder, 'best.json')
  writeFileSync(policy, JSON.stringify({ name: 'best', priority: 'quality', QUALITY_THRESHOLD: 1 }))
  const picture = path.join(folder, 'frontier.svg')
  const { code, stdout } = await replay('--data-dir', data, '--policy', policy, '--svg', picture, '--json')
  t.equal(code, 0)
  const rows = (JSON.parse(stdout) as { rows: { name: string; value: number; unit: string }[] }).rows
  const row = (name: string) => rows.find(each => each.name === name)
  t.match(row('as decided quality'), { unit: 'mean of 2 rated, 0 checked, 3 predicted' })
  t.match(row('as decided cost'), { unit: 'USD, 5 of 5 as charged' })
  const charged = (await gateway.core.ledger.recent(10)).reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0)
  t.ok(charged > 0)
  t.ok(Math.abs(row('as decided cost')!.value - charged) < 1e-12)
  t.match(row('best quality'), { unit: /0 checked/ })
  t.ok(row('best quality') !== undefined && row('always llama-cpp/qwen3-coder-30b quality') !== undefined)
  t.match(row('always llama-cpp/qwen3-coder-30b unserved'), { value: 0, unit: 'of 5 requests' })
  t.match(readFileSync(picture, 'utf8'), /<svg [\s\S]*as decided[\s\S]*<\/svg>/)

  const table = await replay('--data-dir', data, '--policy', policy)
  t.match(table.stdout, /^policy +USD +as charged +quality +rated +checked +predicted +seconds +unserved\nas decided /)
})

t.test('an invalid policy or period is one clear line and exit code 2; a missing ledger is no failure', async t => {
  const folder = t.testdir({ 'wrong.json': '{"QUALITY_THRESHOLD": 2}', 'broken.json': '{' })
  for (const args of [
    ['--policy', `${folder}/wrong.json`],
    ['--policy', `${folder}/broken.json`],
    ['--days', 'x'],
  ]) {
    const { code, stdout, stderr } = await replay('--data-dir', folder, ...args)
    t.equal(code, 2, stderr)
    t.match(stderr, /^signalbox: option '[^\n]+\n$/)
    t.equal(stdout, '')
  }
  const { code, stdout, stderr } = await replay('--data-dir', folder, '--json')
  t.equal(code, 0)
  t.match(stderr, /^skipped: /)
  t.strictSame(stdout, '{"rows":[]}\n')
})
