import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type TestGateway } from '../helpers/start-gateway.ts'

const messages = [{ role: 'user', content: 'Write a function in Python that parses ISO dates.' }]

/** The predicted quality of a model for `messages`, as `POST /v1/route` tells it. */
async function qualityOf(gateway: TestGateway, model: string): Promise<number> {
  const reply = await exchange(`${gateway.url}/v1/route`, {
    method: 'POST',
    body: JSON.stringify({ model: 'auto', messages }),
  })
  return reply.json.candidates.find((standing: { model: string }) => standing.model === model).quality
}

t.test('the dry run names the model that the request then gets, and calls none', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, { ...variablesFor(local), EXPLORATION_SHARE: '0' })
  const dry = await exchange(`${gateway.url}/v1/route`, { method: 'POST', body: JSON.stringify({ messages }) })
  t.equal(local.chats.length, 0)
  const real = await gateway.ask({ messages })
  t.equal(dry.json.chosen, real.headers['x-signalbox-model'])
  const stored = await gateway.get(`/v1/decisions/${String(real.headers['x-signalbox-request-id'])}`)
  t.match(stored.json, { outcome: 'ok', decision: { ranked: dry.json.decision.ranked, reason: dry.json.reason } })
  t.equal((await gateway.get('/v1/decisions/req_nothing')).status, 404)
})

t.test('feedback changes the prediction', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, variablesFor(local))
  const before = await qualityOf(gateway, 'llama-cpp/qwen3-coder-30b')
  for (let request = 0; request < 8; request++) {
    const { headers } = await gateway.ask({ messages: [...messages, { role: 'user', content: `Variant ${request}` }] })
    const rated = await exchange(`${gateway.url}/v1/feedback`, {
      method: 'POST',
      body: JSON.stringify({ request_id: headers['x-signalbox-request-id'], score: 0 }),
    })
    t.equal(rated.status, 200)
  }
  t.ok((await qualityOf(gateway, 'llama-cpp/qwen3-coder-30b')) < before - 0.02)
})

t.test('what was learned survives a restart', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const gateway = await startGateway(t, variablesFor(local))
  const { headers } = await gateway.ask({ messages })
  await exchange(`${gateway.url}/v1/feedback`, {
    method: 'POST',
    body: JSON.stringify({ request_id: headers['x-signalbox-request-id'], score: 0 }),
  })
  const learned = await qualityOf(gateway, 'llama-cpp/qwen3-coder-30b')
  gateway.core.learner.close()
  const facts = gateway.core.ledger.learned.load()
  t.ok(facts.some(({ kind }) => kind === 'belief'))
  t.type(learned, 'number')
})

t.test("a caller's own limits are kept", async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder-30b'] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } }],
  })
  const gateway = await startGateway(t, { ...variablesFor(local, remote), EXPLORATION_SHARE: '0' })
  const servedBy = async (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    (await gateway.ask({ messages, ...body }, { headers })).headers['x-signalbox-model']
  t.equal(
    await servedBy({}, { 'x-signalbox-min-quality': '0.85', 'x-signalbox-session': 'a' }),
    'openrouter/anthropic/claude-sonnet-4.5',
  )
  t.equal(await servedBy({ metadata: { local_only: true, session: 'b' } }), 'llama-cpp/qwen3-coder-30b')
  t.equal(
    await servedBy({ metadata: { min_quality: 0.85, max_cost: 0.000001, session: 'c' } }),
    'llama-cpp/qwen3-coder-30b',
  )
  t.equal((await gateway.ask({ metadata: { priority: 'luck' } })).status, 400)
})
