import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const day = 86_400

t.test('OpenAI’s client reads tokens and costs by its admin calls, and they are those of the ledger', async t => {
  const { gateway, openai } = await open(t)
  await gateway.ask({ model: 'openrouter/lab/paid' }, bearer('laptop-secret'))
  await gateway.ask({ model: 'openrouter/lab/paid' }, bearer('server-secret'))
  await gateway.ask({ model: 'llama-cpp/small' }, bearer('laptop-secret'))
  await gateway.core.gateway.idle()
  const now = Math.floor(Date.now() / 1000)
  const start_time = now - 2 * day

  const usage = await openai.admin.organization.usage.completions({ start_time })
  t.match(usage, { object: 'page', has_more: false, next_page: null })
  t.equal(usage.data.length, 3)
  t.same(
    usage.data.slice(0, 2).map(({ results }) => results),
    [[], []],
  )
  const [result] = usage.data[2]!.results
  t.match(result, {
    object: 'organization.usage.completions.result',
    input_tokens: 212,
    input_cached_tokens: 120,
    input_uncached_tokens: 92,
    output_tokens: 25,
    num_model_requests: 3,
    model: null,
    api_key_id: null,
    project_id: null,
  })
  t.ok(usage.data[2]!.start_time <= now && now < usage.data[2]!.end_time)
  t.equal(usage.data[2]!.start_time % day, 0)

  const grouped = await openai.admin.organization.usage.completions({
    start_time: now - 60,
    bucket_width: '1h',
    group_by: ['model', 'api_key_id'],
    api_key_ids: ['laptop', 'server'],
  })
  t.same(
    grouped.data
      .flatMap(({ results }) => results)
      .map(each => (each.object === 'organization.usage.completions.result' ? [each.model, each.api_key_id] : []))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    [
      ['llama-cpp/small', 'laptop'],
      ['openrouter/lab/paid', 'laptop'],
      ['openrouter/lab/paid', 'server'],
    ],
  )

  const costs = await openai.admin.organization.usage.costs({ start_time, group_by: ['line_item'] })
  const amounts = costs.data.flatMap(({ results }) => results)
  t.match(amounts, [
    {
      object: 'organization.costs.result',
      amount: { value: 0.0052, currency: 'usd' },
      line_item: 'openrouter/lab/paid',
    },
    { amount: { value: 0, currency: 'usd' }, line_item: 'llama-cpp/small' },
  ])
  t.same(
    (await openai.admin.organization.usage.embeddings({ start_time })).data.flatMap(({ results }) => results),
    [],
  )
})

t.test('pages of buckets follow each other, and each begins where the last one ended', async t => {
  const { gateway, openai } = await open(t)
  await gateway.ask({ model: 'openrouter/lab/paid' }, bearer('laptop-secret'))
  await gateway.core.gateway.idle()
  const end_time = Math.floor(Date.now() / 1000) + 60
  const start_time = end_time - 10 * day
  const buckets: number[] = []
  let requests = 0
  let page: string | undefined
  for (;;) {
    const query = { start_time, end_time, limit: 4, ...(page !== undefined && { page }) }
    const answer = await openai.admin.organization.usage.completions(query)
    buckets.push(...answer.data.map(each => each.start_time))
    for (const { results } of answer.data) {
      for (const each of results) if ('num_model_requests' in each) requests += each.num_model_requests
    }
    if (answer.next_page === null) break
    page = answer.next_page
  }
  t.equal(requests, 1)
  t.ok(buckets.length >= 10)
  t.ok(buckets.every((start, index) => index === 0 || start === buckets[index - 1]! + day))
})

t.test('a key sees its own usage only, and wrong questions are refused', async t => {
  const { gateway, openai } = await open(t, 'server-secret')
  await gateway.ask({ model: 'openrouter/lab/paid' }, bearer('laptop-secret'))
  await gateway.core.gateway.idle()
  const start_time = Math.floor(Date.now() / 1000) - day
  t.same(
    (await openai.admin.organization.usage.completions({ start_time })).data.flatMap(({ results }) => results),
    [],
  )
  const wrong = async (query: string) =>
    (
      await fetch(`${gateway.url}/v1/organization/usage/completions?${query}`, {
        headers: { authorization: 'Bearer server-secret' },
      })
    ).status
  t.equal(await wrong('start_time=soon'), 400)
  t.equal(await wrong(`start_time=${start_time}&limit=32`), 400)
  t.equal(await wrong(`start_time=${start_time}&bucket_width=1y`), 400)
  t.equal(await wrong(`start_time=${start_time}&end_time=${start_time}`), 400)
  t.equal(await wrong(`start_time=${start_time}&page=elsewhere`), 400)
  t.equal(await wrong(`start_time=${start_time}&group_by[]=colour`), 400)
})

t.test('OpenRouter’s clients find what a key used, and what one answer cost', async t => {
  const { gateway } = await open(t)
  const answer = await gateway.ask({ model: 'openrouter/lab/paid' }, bearer('laptop-secret'))
  await gateway.core.gateway.idle()
  const ask = async (path: string, key: string) => {
    const reply = await fetch(`${gateway.url}/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } })
    return { status: reply.status, json: (await reply.json()) as { data: Record<string, unknown> } }
  }
  const figures = {
    usage: 0.0021,
    usage_daily: 0.0021,
    usage_weekly: 0.0021,
    usage_monthly: 0.0021,
    byok_usage: 0.0005,
  }
  t.match((await ask('/key', 'laptop-secret')).json.data, { label: 'laptop', limit: null, ...figures })
  t.match((await ask('/key', 'server-secret')).json.data, { label: 'server', usage: 0, byok_usage: 0 })
  t.match((await ask('/credits', 'admin-secret')).json.data, { total_credits: null, total_usage: 0.0021 })
  const cost = { total_cost: 0.0021, upstream_inference_cost: 0.0005, is_byok: true, streamed: false, cancelled: false }
  const tokens = { native_tokens_prompt: 100, native_tokens_completion: 10, native_tokens_cached: 60 }
  const expected = { ...cost, ...tokens, model: 'openrouter/lab/paid' }
  for (const id of ['gen-1', String(answer.headers['x-signalbox-request-id'])]) {
    t.match((await ask(`/generation?id=${id}`, 'laptop-secret')).json.data, { ...expected, id })
    t.equal((await ask(`/generation?id=${id}`, 'server-secret')).status, 404, 'not another key’s')
  }
  t.equal((await ask('/generation?id=nothing', 'admin-secret')).status, 404)
})

async function open(t: Test, apiKey = 'admin-secret') {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: ['small'],
    answer: { usage: { promptTokens: 12, outputTokens: 5 } },
  })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/paid', price: { input: 3, output: 15 } }],
    answer: {
      usage: { promptTokens: 100, cachedTokens: 60, outputTokens: 10, costUsd: 0.0021, byokCostUsd: 0.0005 },
      headers: { 'x-generation-id': 'gen-1' },
    },
  })
  const gateway = await startGateway(t, {
    ...variablesFor(local, remote),
    SIGNALBOX_API_KEY: 'laptop=laptop-secret,server=server-secret',
    SIGNALBOX_ADMIN_KEY: 'admin=admin-secret',
  })
  const baseURL = `${gateway.url}/v1`
  return { gateway, openai: new OpenAI({ apiKey, adminAPIKey: apiKey, baseURL, maxRetries: 0 }) }
}

function bearer(key: string) {
  return { headers: { authorization: `Bearer ${key}` } }
}
