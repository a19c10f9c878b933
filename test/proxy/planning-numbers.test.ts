import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

const words = (count: number) => [{ role: 'user' as const, content: 'word '.repeat(count).trim() }]

/** A gateway before a model that reports a third more tokens than we count, and has learned that. */
async function setUp(t: Teardown) {
  const local = await scriptedUpstream(t, 'lm-studio', {
    models: [{ name: 'gpt-oss-20b', loadedContextTokens: 1500 }],
    answer: { usage: { promptTokens: 1040, outputTokens: 5 } },
  })
  const gateway = await startGateway(t, variablesFor(local))
  for (let request = 0; request < 12; request++) await gateway.ask({ messages: words(800 + request) })
  return { gateway, anthropic: new Anthropic({ baseURL: gateway.url, apiKey: 'none', maxRetries: 0 }) }
}

t.test('counting tokens gives the number that the refusal of the same prompt states', async t => {
  const { gateway, anthropic } = await setUp(t)
  const google = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: gateway.url } })
  for (const count of [1300, 3000]) {
    const ask = { model: 'auto', messages: words(count) }
    const { input_tokens: counted } = await anthropic.messages.countTokens(ask)
    t.ok(counted > 1.2 * count, `${counted} tokens for ${count} words`)
    const { status, json } = await gateway.post('/v1/messages', { ...ask, max_tokens: 10 })
    t.equal(status, 400)
    const [, stated, most] = /prompt is too long: (\d+) tokens > (\d+) maximum/.exec(json.error.message) ?? []
    t.equal(counted, Number(stated), json.error.message)
    t.equal(Number(most), 1490, 'the context without the room kept for the answer')
    const { totalTokens } = await google.models.countTokens({ model: 'auto', contents: ask.messages[0]!.content })
    t.equal(totalTokens, counted)
    const openai = await gateway.post('/v1/responses/input_tokens', { model: 'auto', input: ask.messages })
    t.equal(openai.json.input_tokens, counted)
  }
})

t.test('a prompt that fits is counted in the tokens of the model that would answer it', async t => {
  const { anthropic } = await setUp(t)
  const { input_tokens: counted } = await anthropic.messages.countTokens({ model: 'auto', messages: words(805) })
  t.ok(Math.abs(counted - 1040) < 40, `${counted} tokens where the server reports 1,040`)
  const unknown = await anthropic.messages.countTokens({ model: 'no-such-model', messages: words(805) })
  t.ok(Math.abs(unknown.input_tokens - 805) < 20, 'in our own tokens where no server offers the model')
})

t.test('every model and preset tells its context and its output limit, in all vendors’ terms', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: [{ name: 'small', loadedContextTokens: 16_384 }] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/large', contextTokens: 200_000, maxOutputTokens: 8192, price: { input: 3, output: 15 } }],
  })
  const gateway = await startGateway(t, variablesFor(local, remote))
  const limits = (context: number, output: number) => ({
    context_length: context,
    context_window: context,
    max_model_len: context,
    max_input_tokens: context,
    max_output_tokens: output,
    max_completion_tokens: output,
    top_provider: { context_length: context, max_completion_tokens: output },
  })
  const expected = [
    ['llama-cpp/small', 16_384, 16_384],
    ['openrouter/lab/large', 200_000, 8192],
    ['auto', 200_000, 8192],
    ['local', 16_384, 16_384],
  ] as const
  const headers = { 'anthropic-version': '2023-06-01' }
  for (const [id, context, output] of expected) {
    t.match((await gateway.get(`/v1/models/${id}`)).json, { id, ...limits(context, output) })
    const { json } = await exchange(`${gateway.url}/v1/models/${id}`, { method: 'GET', headers })
    t.match(json, { type: 'model', id: `claude/${id}`, max_input_tokens: context, max_tokens: output })
    const google = await gateway.get(`/v1beta/models/${id}`)
    t.match(google.json, { inputTokenLimit: context, outputTokenLimit: output })
  }
  t.match((await gateway.get('/v1/models/free')).json, { context_length: 16_384 }, 'a local model is free')
})

t.test('Anthropic’s list of models is paged in both directions, and complete without a limit', async t => {
  const names = Array.from({ length: 30 }, (_, index) => `model-${index}`)
  const local = await scriptedUpstream(t, 'llama-cpp', { models: names })
  const gateway = await startGateway(t, variablesFor(local))
  const client = new Anthropic({ baseURL: gateway.url, apiKey: 'none', maxRetries: 0 })
  const whole = await client.models.list()
  const ids = whole.data.map(({ id }) => id)
  t.ok(ids.length > 30 && !whole.has_more)
  const pages: string[][] = []
  for await (const page of (await client.models.list({ limit: 7 })).iterPages())
    pages.push(page.data.map(({ id }) => id))
  t.ok(pages.slice(0, -1).every(page => page.length === 7))
  t.same(pages.flat(), ids)
  const before = await client.models.list({ limit: 3, before_id: ids[10]! })
  t.same(
    before.data.map(({ id }) => id),
    ids.slice(7, 10),
  )
  t.match(before, { has_more: true, first_id: ids[7], last_id: ids[9] })
  t.match(await client.models.list({ limit: 3, before_id: ids[2]! }), { has_more: false, first_id: ids[0] })
  const headers = { 'anthropic-version': '2023-06-01' }
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'after_id=none', 'before_id=none']) {
    const reply = await exchange(`${gateway.url}/v1/models?${query}`, { method: 'GET', headers })
    t.match(reply, { status: 400, json: { type: 'error', error: { type: 'invalid_request_error' } } }, query)
  }
})
