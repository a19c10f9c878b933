import t from 'tap'
import { seededRandom } from '../../src/router/chance.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

async function threeServers(t: Parameters<typeof scriptedUpstream>[0]): Promise<TestGateway> {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const disk = await scriptedUpstream(t, 'ollama', { models: [{ name: 'tiny:1b', parameters: '1B' }] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/big-70b', price: { input: 3, output: 15 }, vision: true }, { name: 'lab/gift-8b:free' }],
  })
  return startGateway(t, variablesFor(local, disk, remote))
}

function dryRun(gateway: TestGateway, body: object, headers: Record<string, string> = {}) {
  return exchange(`${gateway.url}/v1/route`, { method: 'POST', body: JSON.stringify(body), headers })
}

t.test('the dry run matches the decision of the real request', async t => {
  const gateway = await threeServers(t)
  const random = seededRandom(11)
  const oneOf = <T>(...values: T[]): T => values[Math.floor(random() * values.length)]!
  const chosen = new Set<string>()
  for (let round = 0; round < 80; round++) {
    const text = oneOf('Hello.', 'Prove that 2 is prime.', 'Fix this bug: f(x) = x +', 'word '.repeat(3_000))
    const body = {
      model: oneOf('auto', 'auto:quality', 'auto:speed', 'free', 'local', 'openrouter/lab/big-70b'),
      messages: [{ role: 'user', content: `${text} ${oneOf('', String(round))}` }],
      ...oneOf({}, { max_tokens: 20 }, { response_format: { type: 'json_object' } }),
      metadata: oneOf({}, { tags: 'math' }, { priority: 'quality' }, { min_quality: '0.9' }, { session: 's' }),
    }
    const headers = oneOf<Record<string, string>>(
      {},
      { 'x-signalbox-max-cost': '0.001' },
      { 'x-signalbox-tags': 'chat' },
    )
    const dry = await dryRun(gateway, body, headers)
    const real = await gateway.ask(body, { headers })
    if (dry.json.chosen === undefined) {
      t.not(real.status, 200, 'no model could')
      continue
    }
    t.equal(real.headers['x-signalbox-model'], dry.json.chosen, JSON.stringify(body).slice(0, 200))
    const stored = await gateway.get(`/v1/decisions/${String(real.headers['x-signalbox-request-id'])}`)
    const { decision } = stored.json
    for (const field of ['ranked', 'reason', 'measured', 'options', 'floor', 'excluded'] as const) {
      t.strictSame(decision[field], dry.json.decision[field], field)
    }
    chosen.add(String(dry.json.chosen))
  }
  t.ok(chosen.size >= 3, [...chosen].join(', '))
})

t.test('a tag that names a category sets it, in the pipeline and in explain_route', async t => {
  const gateway = await threeServers(t)
  const messages = [{ role: 'user', content: 'Hello.' }]
  const byHeader = await dryRun(gateway, { model: 'auto', messages }, { 'x-signalbox-tags': 'urgent, math' })
  t.strictSame(byHeader.json.categories, { math: 1 })
  const explained = (metadata: object) =>
    exchange(`${gateway.url}/admin/explain_route`, {
      method: 'POST',
      body: JSON.stringify({ request: { model: 'auto', messages, metadata } }),
    })
  const plain = await explained({})
  const local = await explained({ local_only: true })
  t.equal(plain.status, 200)
  t.ok(plain.text.includes('lab/big-70b'))
  t.notSame(local.json, plain.json)
})
