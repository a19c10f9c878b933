import { Ollama } from 'ollama'
import t from 'tap'
import { scriptedUpstream, gate, type Script, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { failureOf } from '../helpers/failure-of.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

interface SetUp {
  kind?: UpstreamKind
  variables?: Record<string, string>
}

async function setUp(t: Teardown, script: Script = {}, { kind = 'llama-cpp', variables = {} }: SetUp = {}) {
  const local = await scriptedUpstream(t, kind, {
    models: [{ name: 'scripted', tools: true, vision: true, reasoning: true, family: 'qwen3', parameters: '4B' }],
    ...script,
  })
  const gateway = await startGateway(t, { ...variablesFor(local), ...variables })
  const client = new Ollama({ host: gateway.url })
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    exchange(gateway.url + path, { method: 'POST', body: JSON.stringify(body), headers })
  return { local, gateway, client, post }
}

const messages = [{ role: 'user', content: 'Hi' }]
const weather = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}
const linesOf = (text: string) =>
  text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => JSON.parse(line) as Record<string, unknown>)

t.test('the ollama package chats, buffered and streamed, with counts and durations', async t => {
  const { client } = await setUp(t, {
    answer: { reasoning: ['So', '.'], text: ['Hel', 'lo.'], usage: { promptTokens: 9, outputTokens: 4 } },
  })
  const whole = await client.chat({ model: 'auto', messages })
  t.match(whole, {
    message: { role: 'assistant', content: 'Hello.', thinking: 'So.' },
    done: true,
    done_reason: 'stop',
  })
  t.match(whole, { model: 'llama-cpp/scripted', prompt_eval_count: 9, eval_count: 4 })
  t.ok(whole.total_duration >= whole.eval_duration && whole.eval_duration > 0)
  const parts = []
  for await (const part of await client.chat({ model: 'auto', messages, stream: true })) parts.push(part)
  t.equal(parts.map(({ message }) => message.content).join(''), 'Hello.')
  t.equal(parts.map(({ message }) => message.thinking ?? '').join(''), 'So.')
  t.match(parts.at(-1), { done: true, done_reason: 'stop', prompt_eval_count: 9, eval_count: 4 })
})

t.test('the ollama package gets tool calls and returns their results, which carry no ids', async t => {
  const { client, local } = await setUp(t, {
    answer: [
      {
        toolCalls: [
          { name: 'weather', arguments: { city: 'Bern' } },
          { name: 'weather', arguments: { city: 'Basel' } },
        ],
      },
      { text: 'Sunny.' },
    ],
  })
  const calls = []
  for await (const { message } of await client.chat({ model: 'auto', messages, tools: [weather], stream: true })) {
    calls.push(...(message.tool_calls ?? []))
  }
  t.match(calls, [
    { function: { name: 'weather', arguments: { city: 'Bern' } } },
    { function: { name: 'weather', arguments: { city: 'Basel' } } },
  ])
  const answered = await client.chat({
    model: 'auto',
    tools: [weather],
    messages: [
      ...messages,
      { role: 'assistant', content: '', tool_calls: calls.map(({ function: called }) => ({ function: called })) },
      { role: 'tool', tool_name: 'weather', content: 'sun' },
      { role: 'tool', tool_name: 'weather', content: 'rain' },
    ],
  })
  t.equal(answered.message.content, 'Sunny.')
  const sent = local.chats[1]?.body['messages'] as { tool_calls?: { id: string }[]; tool_call_id?: string }[]
  const ids = sent[1]!.tool_calls!.map(({ id }) => id)
  t.equal(new Set(ids).size, 2)
  t.strictSame([sent[2]?.tool_call_id, sent[3]?.tool_call_id], ids)
})

t.test('made-up call ids differ between two conversations that begin with the same call', async t => {
  const { client, local } = await setUp(t)
  const call = { role: 'assistant', content: '', tool_calls: [{ function: { name: 'look', arguments: {} } }] }
  for (const content of ['One', 'Two', 'One']) {
    const result = { role: 'tool', tool_name: 'look', content: 'seen' }
    await client.chat({ model: 'auto', messages: [{ role: 'user', content }, call, result] })
  }
  const ids = local.chats.map(({ body }) => (body['messages'] as { tool_call_id?: string }[])[2]?.tool_call_id)
  t.not(ids[0], ids[1])
  t.equal(ids[0], ids[2])
})

t.test('images, a schema, options and think reach a chat completions server in its own terms', async t => {
  const { local, post } = await setUp(t)
  const schema = { type: 'object', properties: { at: { type: 'string' } } }
  const { status, headers } = await post('/api/chat', {
    model: 'auto',
    stream: false,
    messages: [{ role: 'user', content: 'What is it?', images: ['/9j/4AAQ'] }],
    format: schema,
    think: 'low',
    keep_alive: '5m',
    options: { temperature: 0.3, num_predict: 50, stop: ['END'], num_ctx: 4096 },
  })
  t.equal(status, 200)
  t.match(local.chats[0]?.body, {
    messages: [
      {
        content: [
          { type: 'text', text: 'What is it?' },
          { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,/9j/4AAQ' } },
        ],
      },
    ],
    response_format: { type: 'json_schema', json_schema: { schema } },
    reasoning_effort: 'low',
    temperature: 0.3,
    max_tokens: 50,
    stop: ['END'],
  })
  t.notOk(['ollama', 'options', 'keep_alive', 'think', 'num_ctx'].some(field => field in local.chats[0]!.body))
  t.match(headers['x-signalbox-notes'], /options\.num_ctx was omitted.*keep_alive was omitted/)
})

t.test('an Ollama server gets options, keep_alive, think and format as they were sent', async t => {
  const { local, client } = await setUp(t, {}, { kind: 'ollama' })
  await client.chat({
    model: 'auto',
    messages,
    format: 'json',
    think: true,
    keep_alive: '5m',
    options: { num_ctx: 8000, num_gpu: 7, num_predict: -1 },
  })
  t.match(local.chats[0]?.body, {
    format: 'json',
    think: true,
    keep_alive: '5m',
    options: { num_ctx: 8000, num_gpu: 7 },
  })
  t.notOk('num_predict' in (local.chats[0]!.body['options'] as object))
})

t.test('the ollama package generates from a prompt with a system text, buffered and streamed', async t => {
  const { client, local } = await setUp(t, { answer: { text: ['Hel', 'lo.'] } })
  const whole = await client.generate({ model: 'auto', prompt: 'Hi', system: 'Be kind.' })
  t.match(whole, { response: 'Hello.', done: true, done_reason: 'stop' })
  t.match(local.chats[0]?.body['messages'], [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Hi' },
  ])
  const parts = []
  for await (const { response } of await client.generate({ model: 'auto', prompt: 'Hi', stream: true })) {
    parts.push(response)
  }
  t.equal(parts.join(''), 'Hello.')
})

t.test('a generate request with a suffix or raw continues the text', async t => {
  const { post, local } = await setUp(t, {
    route: ({ path, body }) =>
      path === '/v1/completions' || path === '/infill'
        ? { json: { choices: [{ text: `after ${String(body['prompt'])}`, finish_reason: 'stop' }], content: 'mid' } }
        : undefined,
  })
  const raw = await post('/api/generate', { model: 'auto', prompt: 'one', raw: true, stream: false })
  t.match(raw.json, { response: 'after one', done: true })
  const filled = await post('/api/generate', { model: 'auto', prompt: 'a', suffix: 'b', stream: false })
  t.equal(filled.status, 200, filled.text)
  t.match(filled.json, { response: /\w/, done: true })
  t.equal(local.chats.length, 0)
})

t.test('a request streams unless it says otherwise, one object per line', async t => {
  const { post } = await setUp(t, { answer: { text: ['a', 'b'] } })
  const reply = await post('/api/chat', { model: 'auto', messages })
  t.equal(reply.headers['content-type'], 'application/x-ndjson')
  const lines = linesOf(reply.text)
  t.ok(lines.every(({ created_at: at }) => typeof at === 'string'))
  t.strictSame(
    lines.map(({ done }) => done),
    [false, false, true],
  )
})

t.test('while a model is slow every line still parses, and an error then is the last line', async t => {
  const held = gate()
  const { post, local } = await setUp(
    t,
    { answer: { hold: { before: 'headers', until: held.opened }, text: 'late' } },
    { variables: { KEEPALIVE_INTERVAL_MS: '1000' } },
  )
  const asked = post('/api/chat', { model: 'auto', messages })
  setTimeout(() => held.open(), 1500)
  const reply = await asked
  t.match(reply.text, /^ /)
  t.match(linesOf(reply.text), [{ message: { content: 'late' } }, { done: true }])
  local.script.answer = { text: ['a', 'b'], errorBefore: { piece: 1, message: 'the script stops' } }
  const broken = linesOf((await post('/api/chat', { model: 'auto', messages })).text)
  t.match(broken, [{ message: { content: 'a' } }, { error: /the script stops/ }])
})

t.test('errors have only a message, also for a wrong key and an unknown path of the API', async t => {
  const { client, gateway, post } = await setUp(t, {}, { variables: { SIGNALBOX_API_KEY: 'secret-key' } })
  const refused = await failureOf(client.chat({ model: 'auto', messages }))
  t.match(refused, { status_code: 401, error: /API key/ })
  const known = new Ollama({ host: gateway.url, headers: { authorization: 'Bearer secret-key' } })
  t.equal((await known.chat({ model: 'auto', messages })).done, true)
  const unknown = await failureOf(known.chat({ model: 'no-such-model', messages }))
  t.match(unknown, { status_code: 404, error: /no-such-model/ })
  const pulled = await post('/api/pull', { model: 'x' }, { authorization: 'Bearer secret-key' })
  t.equal(pulled.status, 404)
  t.type(pulled.json.error, 'string')
})

t.test('the ollama package lists, shows and finds loaded models', async t => {
  const { client } = await setUp(
    t,
    { models: [{ name: 'qwen3:4b', tools: true, contextTokens: 8192, loadedContextTokens: 4096, family: 'qwen3' }] },
    { kind: 'ollama' },
  )
  const { models } = await client.list()
  t.ok(models.some(({ name }) => name === 'auto') && models.some(({ name }) => name === 'ollama/qwen3:4b'))
  t.ok(models.every(({ digest }) => digest.length >= 12))
  for (const model of ['auto', 'auto:latest', 'qwen3:4b', 'ollama/qwen3:4b']) {
    const shown = (await client.show({ model })) as unknown as { capabilities: string[]; model_info: object }
    t.ok(shown.capabilities.includes('tools'), model)
    t.ok(Object.keys(shown.model_info).some(key => key.endsWith('.context_length')))
  }
  t.match((await client.ps()).models, [{ name: 'ollama/qwen3:4b' }])
  t.match(await client.version(), { version: /^\d+\.\d+\.\d+$/ })
  t.match(await failureOf(client.show({ model: 'nothing' })), { status_code: 404 })
})

t.test('the ollama package embeds, in the newer and in the older form', async t => {
  const { client } = await setUp(t, {
    route: ({ path, body }) =>
      path === '/v1/embeddings'
        ? { json: { data: [body['input']].flat().map((_, index) => ({ index, embedding: [index, 1] })) } }
        : undefined,
  })
  t.match(await client.embed({ model: 'auto', input: ['a', 'b'] }), {
    embeddings: [
      [0, 1],
      [1, 1],
    ],
  })
  t.match(await client.embeddings({ model: 'auto', prompt: 'a' }), { embedding: [0, 1] })
})

t.test('a request without a prompt, which clients send to load a model, generates nothing', async t => {
  const { client, post, local } = await setUp(t)
  t.match(await client.generate({ model: 'auto', prompt: '' }), { done: true, done_reason: 'load', response: '' })
  const unloaded = await post('/api/chat', { model: 'auto', messages: [], keep_alive: 0 })
  t.match(unloaded.json, { done: true, done_reason: 'unload' })
  t.equal((await post('/api/generate', { model: 'nothing' })).status, 404)
  t.equal(local.chats.length, 0)
})

t.test('a client that probes / with HEAD or GET finds the server, and tasks keep their paths', async t => {
  const { gateway } = await setUp(t)
  t.equal((await exchange(gateway.url, { method: 'HEAD' })).status, 200)
  t.match((await gateway.get('/')).json, { name: 'signalbox' })
  t.match((await gateway.get('/api/tasks')).json, { tasks: [] })
  t.match((await gateway.get('/api/queue')).status, 200)
})

t.test('requests over the protocol are in the ledger and obey Idempotency-Key', async t => {
  const { gateway, post, local } = await setUp(t)
  const ask = { model: 'auto', messages, stream: false }
  const first = await post('/api/chat', ask, { 'idempotency-key': 'k1' })
  const again = await post('/api/chat', ask, { 'idempotency-key': 'k1' })
  t.equal(again.text, first.text)
  t.equal(again.headers['idempotent-replayed'], 'true')
  t.equal(local.chats.length, 1)
  const id = String(first.headers['x-signalbox-request-id'])
  t.match((await gateway.get(`/v1/decisions/${id}`)).json, { model: 'llama-cpp/scripted', outcome: /./ })
})
