import OpenAI from 'openai'
import t from 'tap'
import { failureOf } from '../helpers/failure-of.ts'
import { scriptedUpstream, type SeenRequest, type UpstreamKind } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

type Answers = Record<string, unknown>

/** A gateway before one server whose answers by path are given; a text is an event stream. */
async function setUp(t: Teardown, kind: UpstreamKind, answers: Answers, embedding = false) {
  const seen: SeenRequest[] = []
  const upstream = await scriptedUpstream(t, kind, {
    models: [{ name: 'scripted', embedding }],
    route(request) {
      const found = answers[request.path]
      if (found === undefined) return undefined
      seen.push(request)
      return typeof found === 'string'
        ? { text: found, headers: { 'content-type': 'text/event-stream' } }
        : { json: found }
    },
  })
  const gateway = await startGateway(t, variablesFor(upstream))
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const post = (path: string, body: object) =>
    exchange(gateway.url + path, { method: 'POST', body: JSON.stringify(body) })
  return { seen, gateway, client, post }
}

const vectors = {
  object: 'list',
  data: [0, 1].map(index => ({ object: 'embedding', index, embedding: [0.5, -0.25, index] })),
  usage: { prompt_tokens: 4, total_tokens: 4 },
}
const text = (said: string, reason: string | null) =>
  `data: ${JSON.stringify({ object: 'text_completion', choices: [{ index: 0, text: said, finish_reason: reason }] })}\n\n`
const usageFrame = `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n`

const embedPaths: Partial<Record<UpstreamKind, Answers>> = {
  'llama-cpp': { '/v1/embeddings': vectors },
  'lm-studio': { '/v1/embeddings': vectors },
  openrouter: { '/api/v1/embeddings': vectors },
  'openai-compatible': { '/v1/embeddings': vectors },
  ollama: { '/api/embed': { embeddings: vectors.data.map(({ embedding }) => embedding), prompt_eval_count: 4 } },
}
for (const [kind, answers] of Object.entries(embedPaths) as [UpstreamKind, Answers][]) {
  t.test(`${kind}: a batch is embedded, in numbers, in base64 and with the books kept`, async t => {
    const { client, post, gateway, seen } = await setUp(t, kind, answers, kind === 'ollama' || kind === 'lm-studio')
    const packed = await client.embeddings.create({ model: `${kind}/scripted`, input: ['a', 'b'] })
    t.same(
      packed.data.map(({ embedding }) => embedding),
      vectors.data.map(({ embedding }) => embedding),
    )
    const plain = await post('/v1/embeddings', { model: `${kind}/scripted`, input: ['a', 'b'], dimensions: 3 })
    t.match(plain.json, { object: 'list', data: vectors.data, usage: { prompt_tokens: 4 } })
    t.match(plain.headers, { 'x-signalbox-model': `${kind}/scripted`, 'x-signalbox-attempts': '1' })
    t.same(seen[1]?.body['input'], ['a', 'b'])
    const raw = await post('/v1/embeddings', { model: `${kind}/scripted`, input: 'a', encoding_format: 'base64' })
    t.type(raw.json.data[0].embedding, 'string')
    const { json } = await gateway.get('/v1/usage?period=all')
    t.match(JSON.stringify(json), /"input_?[tT]okens":12/, 'three requests of four tokens')
  })
}

t.test('vectors of another length than requested are rejected', async t => {
  const { client } = await setUp(t, 'llama-cpp', { '/v1/embeddings': vectors })
  const failure = await failureOf(client.embeddings.create({ model: 'auto', input: 'a', dimensions: 2 }))
  t.match(failure, { status: 400, param: 'dimensions', message: /3 dimensions, not 2/ })
})

t.test('an embedding model is preferred for embeddings under auto', async t => {
  const embedder = await scriptedUpstream(t, 'lm-studio', {
    models: [{ name: 'nomic', embedding: true }],
    route: ({ path }) => (path === '/v1/embeddings' ? { json: vectors } : undefined),
  })
  const other = await scriptedUpstream(t, 'llama-cpp', {})
  const gateway = await startGateway(t, variablesFor(other, embedder))
  const body = JSON.stringify({ input: ['a', 'b'] })
  const reply = await exchange(`${gateway.url}/v1/embeddings`, { method: 'POST', body })
  t.equal(reply.headers['x-signalbox-model'], 'lm-studio/nomic')
})

t.test('text is completed, buffered and streamed, with usage only on request', async t => {
  const whole = {
    choices: [{ index: 0, text: 'there', finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 1 },
  }
  const { client } = await setUp(t, 'lm-studio', { '/v1/completions': whole })
  t.equal((await client.completions.create({ model: 'auto', prompt: 'Hello ' })).choices[0]?.text, 'there')
  const streaming = await setUp(t, 'openai-compatible', {
    '/v1/completions': `${text('th', null)}${text('ere', 'stop')}${usageFrame}data: [DONE]\n\n`,
  })
  const ask = { model: 'auto', prompt: 'Hello ', stream: true } as const
  const said: string[] = []
  for await (const chunk of await streaming.client.completions.create(ask)) said.push(chunk.choices[0]?.text ?? '?')
  t.same(said, ['th', 'ere'])
  const wanting = await streaming.post('/v1/completions', { ...ask, stream_options: { include_usage: true } })
  t.match(wanting.events.at(-1), { usage: { prompt_tokens: 3 } })
  t.match(streaming.seen[0]?.body, { stream_options: { include_usage: true } }, 'the ledger always needs it')
})

t.test('a gap is filled by each server in its own way', async t => {
  const ask = { model: 'auto', prompt: 'let a = ', suffix: ';\n', max_tokens: 8 }
  const llama = await setUp(t, 'llama-cpp', {
    '/infill': { content: '1', stop: true, tokens_predicted: 1, tokens_evaluated: 7 },
  })
  t.match((await llama.post('/v1/completions', ask)).json, {
    choices: [{ text: '1', finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 1 },
  })
  t.match(llama.seen[0]?.body, { input_prefix: 'let a = ', input_suffix: ';\n', n_predict: 8 })
  const stream = await setUp(t, 'llama-cpp', {
    '/infill': `data: {"content":"1","stop":false}\n\ndata: {"content":"","stop":true,"tokens_predicted":1,"tokens_evaluated":7}\n\n`,
  })
  const { events } = await stream.post('/v1/completions', { ...ask, stream: true })
  t.match(events, [{ choices: [{ text: '1' }] }, { choices: [{ finish_reason: 'stop' }] }])
  const ollama = await setUp(t, 'ollama', {
    '/api/generate': { response: '1', done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: 1 },
  })
  t.match((await ollama.post('/v1/completions', ask)).json, { choices: [{ text: '1' }], usage: { prompt_tokens: 7 } })
  t.match(ollama.seen[0]?.body, { prompt: 'let a = ', suffix: ';\n', options: { num_predict: 8 } })
})

t.test('documents are reranked where a server supports it, and rejected where none does', async t => {
  const ranking = { results: [{ index: 1, relevance_score: 0.9 }], usage: { prompt_tokens: 9 } }
  const ask = { model: 'auto', query: 'q', documents: ['a', { text: 'b' }], top_n: 1 }
  const { post } = await setUp(t, 'llama-cpp', { '/v1/rerank': ranking })
  t.match((await post('/v1/rerank', ask)).json, ranking)
  const without = await setUp(t, 'ollama', {})
  t.match(await without.post('/v1/rerank', ask), { status: 400, json: { error: { code: 'unsupported' } } })
})

t.test('a failing server is followed by the next one, and an invalid body gets an error naming the field', async t => {
  const broken = await scriptedUpstream(t, 'lm-studio', {
    route: ({ path }) => (path === '/v1/completions' ? { status: 500, json: { error: 'out of order' } } : undefined),
  })
  const works = await scriptedUpstream(t, 'llama-cpp', {
    route: ({ path }) => (path === '/v1/completions' ? { json: { choices: [{ index: 0, text: 'ok' }] } } : undefined),
  })
  const gateway = await startGateway(t, variablesFor(broken, works))
  const post = (body: object) =>
    exchange(`${gateway.url}/v1/completions`, { method: 'POST', body: JSON.stringify(body) })
  const answers = [await post({ prompt: 'a' }), await post({ prompt: 'a' })]
  t.ok(answers.every(({ status }) => status === 200))
  t.ok(answers.every(({ headers }) => headers['x-signalbox-model'] === 'llama-cpp/scripted'))
  t.match(await post({ prompt: 7 }), { status: 400, json: { error: { param: 'prompt' } } })
})

t.test('an answer of a wrong shape is an error of the server, never an empty answer', async t => {
  const shapes = [{}, { results: {} }, { results: [null] }, { results: [{ index: 'a', relevance_score: 1 }] }]
  const texts = [{}, { choices: [] }, { choices: [{ index: 0, message: { content: 'a' } }] }, { done: true }]
  const ask = { model: 'auto', prompt: 'let a = ', query: 'q', documents: ['a', 'b'] }
  const statuses = async (kind: UpstreamKind, at: string, path: string, wrong: readonly object[], more = {}) =>
    Promise.all(
      wrong.map(async shape => {
        const { post } = await setUp(t, kind, { [at]: shape })
        const { status, json } = await post(path, { ...ask, ...more })
        return `${status} ${json.error?.code}`
      }),
    )
  const refused = Array<string>(4).fill('502 upstream_error')
  t.same(await statuses('llama-cpp', '/v1/rerank', '/v1/rerank', shapes), refused)
  t.same(await statuses('lm-studio', '/v1/completions', '/v1/completions', texts), refused)
  t.same(await statuses('llama-cpp', '/infill', '/v1/completions', texts, { suffix: ';' }), refused)
  t.same(await statuses('ollama', '/api/generate', '/v1/completions', [...texts.slice(1), { response: 'a' }]), refused)
})
