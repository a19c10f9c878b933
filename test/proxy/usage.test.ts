import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('usage and cost are reported by model, provider, day and key, as JSON and CSV', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { usage: { promptTokens: 10, outputTokens: 4 } } })
  const remote = await scriptedUpstream(t, 'openai-compatible', {
    models: ['bright'],
    answer: { usage: { promptTokens: 1_000_000, outputTokens: 100_000 } },
  })
  const prices = { bright: { input: 3, output: 15 } }
  const gateway = await startGateway(t, variablesFor(local), [
    { kind: 'openai-compatible', name: 'lab', url: remote.url, tier: 'remote', named: true, prices },
  ])
  await gateway.ask()
  await gateway.ask({ stream: true })
  await gateway.ask({ model: 'lab/bright' })
  const byModel = (await gateway.get('/v1/usage?period=today&group_by=model')).json
  t.match(byModel.rows, [
    { group: 'lab/bright', requests: 1, input_tokens: 1_000_000, output_tokens: 100_000, cost_usd: 4.5 },
    { group: 'llama-cpp/scripted', requests: 2, input_tokens: 20, output_tokens: 8, cost_usd: 0 },
  ])
  t.match(byModel.totals, { requests: 3, cost_usd: 4.5 })
  for (const [grouping, groups] of [
    ['provider', ['lab', 'llama-cpp']],
    ['key', ['anonymous']],
    ['day', [new Date().toISOString().slice(0, 10)]],
  ] as const) {
    const { json } = await gateway.get(`/v1/usage?group_by=${grouping}`)
    t.strictSame(
      json.rows.map((row: { group: string }) => row.group),
      groups,
      grouping,
    )
  }
  const csv = await gateway.get('/v1/usage?format=csv&group_by=provider')
  t.match(csv.headers['content-type'], /^text\/csv/)
  t.match(csv.text, /^provider,requests,/)
})

t.test('the upstream’s reported charge is the recorded cost', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/bright', price: { input: 3, output: 15 } }],
    answer: { usage: { promptTokens: 10, outputTokens: 10, costUsd: 0.25 } },
  })
  const gateway = await startGateway(t, variablesFor(remote))
  for (const stream of [true, false]) await gateway.ask({ stream })
  t.equal((await gateway.get('/v1/usage')).json.totals.cost_usd, 0.5)
})

t.test('an invalid usage query is rejected', async t => {
  const gateway = await startGateway(t)
  for (const query of ['group_by=colour', 'period=sometimes', 'format=xml', 'surprise=1']) {
    t.equal((await gateway.get(`/v1/usage?${query}`)).status, 400, query)
  }
})

t.test('failures are counted, and prompts are nowhere in the ledger', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { error: { status: 500, message: 'no' } } })
  const gateway = await startGateway(t, variablesFor(local))
  await gateway.ask({ messages: [{ role: 'user', content: 'xyzzy-secret-prompt' }] })
  t.match((await gateway.get('/v1/usage')).json.totals, { requests: 1, errors: 1, cost_usd: 0 })
  const [row] = await gateway.core.ledger.recent(1)
  const everything = JSON.stringify(await gateway.core.ledger.request(row?.id ?? ''))
  t.notOk(everything.includes('xyzzy'))
})
