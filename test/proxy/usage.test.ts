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
    { group: { model: 'lab/bright' }, requests: 1, input_tokens: 1_000_000, output_tokens: 100_000, cost_usd: 4.5 },
    { group: { model: 'llama-cpp/scripted' }, requests: 2, input_tokens: 20, output_tokens: 8, cost_usd: 0 },
  ])
  t.match(byModel.totals, { requests: 3, cost_usd: 4.5 })
  for (const [grouping, groups] of [
    ['provider', ['lab', 'llama-cpp']],
    ['key', ['anonymous']],
    ['day', [new Date().toISOString().slice(0, 10)]],
  ] as const) {
    const { json } = await gateway.get(`/v1/usage?group_by=${grouping}`)
    t.strictSame(
      json.rows.map((row: { group: Record<string, string> }) => row.group[grouping]),
      groups,
      grouping,
    )
  }
  const csv = await gateway.get('/v1/usage?format=csv&group_by=provider')
  t.match(csv.headers['content-type'], /^text\/csv/)
  t.match(csv.text, /^provider,requests,/)
})

t.test('usage is grouped by several properties at once, filtered, and paged', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['a', 'b'] })
  const gateway = await startGateway(t, variablesFor(local))
  const tagged = { headers: { 'x-signalbox-tags': 'night,batch', 'x-signalbox-session': 's1' } }
  await gateway.ask({ model: 'llama-cpp/a' }, tagged)
  await gateway.ask({ model: 'llama-cpp/b' }, tagged)
  await gateway.ask({ model: 'llama-cpp/b' })
  const day = new Date().toISOString().slice(0, 10)
  const { json } = await gateway.get('/v1/usage?period=day&group_by=day,model,session,endpoint')
  t.same(json.group_by, ['day', 'model', 'session', 'endpoint'])
  t.same(
    json.rows.map(({ group, requests }: { group: object; requests: number }) => ({ ...group, requests })),
    [
      { day, model: 'llama-cpp/a', session: 's1', endpoint: 'chat', requests: 1 },
      { day, model: 'llama-cpp/b', session: 's1', endpoint: 'chat', requests: 1 },
      { day, model: 'llama-cpp/b', session: null, endpoint: 'chat', requests: 1 },
    ],
  )
  const filtered = (await gateway.get('/v1/usage?tag=night&model=llama-cpp/b&group_by=tag')).json
  t.match(filtered, { totals: { requests: 1 }, rows: [{ group: { tag: 'batch' } }, { group: { tag: 'night' } }] })
  const first = (await gateway.get('/v1/usage?group_by=model&limit=1')).json
  t.match(first, { rows: [{ group: { model: 'llama-cpp/b' } }], totals: { requests: 3 } })
  const second = (await gateway.get(`/v1/usage?group_by=model&limit=1&page=${first.next_page}`)).json
  t.match(second, { rows: [{ group: { model: 'llama-cpp/a' } }], next_page: null })
  const csv = await gateway.get('/v1/usage?group_by=model,tier,outcome&format=csv')
  t.match(csv.text, /^model,tier,outcome,requests,[^\r]*\r\nllama-cpp\/b,local,ok,2,/)
})

t.test('usage is grouped by the owner of a key', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['a'] })
  const gateway = await startGateway(t, { ...variablesFor(local), SIGNALBOX_ADMIN_KEY: 'admin=secret' })
  const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
  const create = async (name: string, owner?: string) => {
    const reply = await fetch(`${gateway.url}/admin/create_api_key`, {
      method: 'POST',
      headers: { ...as('secret').headers, 'content-type': 'application/json' },
      body: JSON.stringify({ name, ...(owner !== undefined && { owner }) }),
    })
    return ((await reply.json()) as { token: string }).token
  }
  const [phone, laptop, ci] = [await create('phone', 'Alice'), await create('laptop', 'Alice'), await create('ci')]
  for (const key of [phone, laptop, ci]) t.equal((await gateway.ask({}, as(key))).status, 200)
  const reply = await fetch(`${gateway.url}/v1/usage?group_by=owner`, as('secret'))
  const { rows } = (await reply.json()) as { rows: { group: object; requests: number }[] }
  t.match(rows, [
    { group: { owner: 'Alice' }, requests: 2 },
    { group: { owner: null }, requests: 1 },
  ])
  const filtered = await fetch(`${gateway.url}/v1/usage?owner=Alice`, as('secret'))
  t.match(await filtered.json(), { totals: { requests: 2 } })
})

t.test('usage tells what the same tokens would have cost on the reference model', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: [{ name: 'small', contextTokens: 200_000, loadedContextTokens: 200_000 }],
    answer: { usage: { promptTokens: 100_000, outputTokens: 10_000 } },
  })
  const gateway = await startGateway(t, { ...variablesFor(local), REFERENCE_MODEL: 'openai/gpt-4o' })
  await gateway.ask()
  const { totals } = (await gateway.get('/v1/usage')).json
  t.match(totals, { cost_usd: 0, compared_requests: 1, reference_cost_usd: 0.35, cost_avoided_usd: 0.35 })
  t.match((await gateway.post('/admin/cost', {})).json.total, { cost_usd: 0, cost_avoided_usd: 0.35 })
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
  for (const query of [
    'group_by=colour',
    'period=sometimes',
    'format=xml',
    'surprise=1',
    'time_zone=Mars',
    'limit=0',
    'page=x',
  ]) {
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
