import t from 'tap'
import { request } from 'undici'
import { scriptedUpstream, upstreamKinds, type Script, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

async function setUp(t: Teardown, kind: UpstreamKind, script: Script = {}, variables: Record<string, string> = {}) {
  const models = [{ name: 'scripted', tools: true, vision: true, reasoning: true, contextTokens: 16_384 }]
  const upstream = await scriptedUpstream(t, kind, { models, ...script })
  const gateway = await startGateway(t, { ...variablesFor(upstream), ...variables })
  const post = (path: string, body: object) =>
    exchange(gateway.url + path, { method: 'POST', body: JSON.stringify(body) })
  return { upstream, gateway, post }
}

const message = { max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }
const asks = {
  '/messages': { ...message, model: 'auto' },
  '/responses': { model: 'auto', input: 'Hi' },
  '/chat/completions': { model: 'auto', messages: message.messages },
  '/messages/count_tokens': message,
}

t.test('every path answers with /v1, without it, and with it twice', async t => {
  const { post, gateway } = await setUp(t, 'llama-cpp')
  for (const [path, body] of Object.entries(asks)) {
    for (const base of ['', '/v1', '/v1/v1', '//v1']) {
      t.equal((await post(`${base}${path}`, body)).status, 200, base + path)
      t.equal((await post(`${base}${path}/`, body)).status, 200, `${base}${path}/`)
    }
  }
  t.equal((await gateway.get('/v1/v1/models')).status, 200)
})

t.test('the small and the main model of an agent are routed differently', async t => {
  const small = await scriptedUpstream(t, 'llama-cpp', { models: ['tiny'] })
  const main = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'maker/large', price: { input: 3, output: 15 } }],
  })
  const gateway = await startGateway(t, {
    ...variablesFor(small, main),
    MODEL_ALIASES: 'claude-haiku-*=llama-cpp/tiny,claude-*=openrouter/maker/large',
  })
  const served = async (model: string) => {
    const body = JSON.stringify({ ...message, model })
    return (await exchange(`${gateway.url}/v1/messages`, { method: 'POST', body })).headers['x-signalbox-model']
  }
  t.equal(await served('claude-haiku-4-5-20251001'), 'llama-cpp/tiny')
  t.equal(await served('claude-opus-4-8'), 'openrouter/maker/large')
})

t.test('a name such as claude-* never becomes a paid model of OpenRouter without an alias', async t => {
  const { post, upstream } = await setUp(t, 'openrouter', {
    models: [
      { name: 'anthropic/claude-sonnet-4.5', price: { input: 3, output: 15 } },
      { name: 'other/free-one:free', contextTokens: 100_000 },
    ],
  })
  const { headers } = await post('/v1/messages', { ...message, model: 'claude-sonnet-4-5-20250929' })
  t.equal(headers['x-signalbox-model'], 'openrouter/other/free-one:free')
  t.match(headers['x-signalbox-notes'], /claude-sonnet-4-5-20250929/)
  t.equal(upstream.chats[0]?.body['model'], 'other/free-one:free')
})

t.test('an unknown model name gets an error with the alias line that defines it, in each protocol', async t => {
  const { post } = await setUp(t, 'llama-cpp')
  const wanted = /MODEL_ALIASES=nobody=auto/
  const replies = await Promise.all(
    ['/messages', '/responses', '/chat/completions'].map(path =>
      post(`/v1${path}`, { ...asks[path as keyof typeof asks], model: 'nobody' }),
    ),
  )
  t.match(replies, [
    { status: 404, json: { type: 'error', error: { type: 'not_found_error', message: wanted } } },
    { status: 404, json: { error: { code: 'model_not_found', message: wanted } } },
    { status: 404, json: { error: { code: 'model_not_found', message: wanted } } },
  ])
})

t.test('a name from Claude Code’s model list can be requested', async t => {
  const { gateway, post } = await setUp(t, 'ollama')
  const headers = { 'anthropic-version': '2023-06-01' }
  const { json } = await exchange(`${gateway.url}/v1/models?limit=1000`, { method: 'GET', headers })
  const listed = json.data.at(-1)
  t.match(listed, { type: 'model', id: /^claude/, context_length: 16_384, capabilities: { batch: {} }, price: {} })
  const asked = await post('/v1/messages', { ...message, model: listed.id })
  t.equal(asked.headers['x-signalbox-model'], 'ollama/scripted')
})

t.test('counting returns a number for any input', async t => {
  const { post } = await setUp(t, 'llama-cpp')
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } }
  for (const body of [{}, [], { messages: 7 }, { messages: [{ role: 'user', content: [image] }], tools: [{}] }]) {
    const { status, json } = await post('/v1/messages/count_tokens', body)
    t.equal(status, 200)
    t.ok(Number.isInteger(json.input_tokens) && json.input_tokens > 0)
  }
})

const image = 'iVBORw0KGgo='
for (const kind of upstreamKinds) {
  t.test(`${kind} gets the image in a tool's result where it can see it`, async t => {
    const { post, upstream } = await setUp(t, kind)
    const anthropic = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } }
    await post('/v1/messages', {
      ...message,
      model: 'auto',
      tools: [{ name: 'look', input_schema: { type: 'object' } }],
      messages: [
        ...message.messages,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'look', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: [anthropic] }] },
      ],
    })
    await post('/v1/responses', {
      model: 'auto',
      tools: [{ type: 'function', name: 'look', parameters: {} }],
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
        {
          type: 'function_call_output',
          call_id: 'call_1',
          output: [{ type: 'input_image', image_url: `data:image/png;base64,${image}` }],
        },
      ],
    })
    t.equal(upstream.chats.length, 2)
    for (const { body } of upstream.chats) {
      const messages = body['messages'] as { role: string }[]
      const seeing = messages.find(each => JSON.stringify(each).includes(image))
      t.equal(seeing?.role, kind === 'ollama' || kind === 'llama-cpp' ? 'tool' : 'user')
      t.ok(messages.some(({ role }) => role === 'tool'))
    }
  })
}

t.test('an effort that a server lacks is mapped to the nearest one', async t => {
  for (const [kind, expected] of [
    ['lm-studio', { reasoning_effort: 'high' }],
    ['openrouter', { reasoning_effort: 'xhigh' }],
    ['ollama', { think: 'high' }],
  ] as const) {
    const { post, upstream } = await setUp(t, kind)
    const { headers } = await post('/v1/responses', { model: 'auto', input: 'Hi', reasoning: { effort: 'xhigh' } })
    t.match(upstream.chats[0]?.body, expected)
    if (kind === 'lm-studio') t.match(headers['x-signalbox-notes'], /reasoning_effort xhigh became high/)
  }
})

t.test('a limit beyond the model is lowered with a note, in each protocol', async t => {
  const { post } = await setUp(t, 'llama-cpp')
  const limits = { '/messages': 'max_tokens', '/responses': 'max_output_tokens', '/chat/completions': 'max_tokens' }
  for (const [path, field] of Object.entries(limits)) {
    const { headers } = await post(`/v1${path}`, { ...asks[path as keyof typeof asks], [field]: 500_000 })
    t.match(headers['x-signalbox-notes'], /max_tokens lowered from 500000/)
  }
})

t.test('a conversation is stored with the caller’s consent and until they delete it', async t => {
  const { post, gateway } = await setUp(t, 'llama-cpp')
  const ask = (body: object) => post('/v1/responses', { model: 'auto', input: 'Hi', ...body })
  const kept = (await ask({})).json.id as string
  const dropped = (await ask({ store: false })).json.id as string
  t.equal((await gateway.get(`/v1/responses/${kept}`)).json.id, kept)
  t.equal((await gateway.get(`/v1/responses/${dropped}`)).status, 404)
  t.match(await ask({ previous_response_id: dropped }), {
    status: 400,
    json: { error: { param: 'previous_response_id' } },
  })
  t.equal((await ask({ previous_response_id: kept })).status, 200)
  const { statusCode } = await request(`${gateway.url}/v1/responses/${kept}`, { method: 'DELETE' })
  t.equal(statusCode, 200)
  t.equal((await ask({ previous_response_id: kept })).status, 400)
})
