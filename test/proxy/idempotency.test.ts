import t, { type Test } from 'tap'
import { gate, scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Reply } from '../helpers/start-gateway.ts'

const messages = [{ role: 'user', content: 'Hello?' }]
const bodies: Record<string, object> = {
  '/v1/chat/completions': { model: 'auto', messages },
  '/v1/messages': { model: 'auto', messages, max_tokens: 50 },
  '/v1/responses': { model: 'auto', input: 'Hello?' },
  '/v1/completions': { model: 'auto', prompt: 'Hello?' },
  '/v1/embeddings': { model: 'llama-cpp/scripted', input: 'Hello?' },
  '/infill': { input_prefix: 'Hello', input_suffix: '?' },
}

/** What the upstream answers to whatever is no chat. */
const nonChat: Record<string, object> = {
  '/v1/completions': { choices: [{ index: 0, text: 'there', finish_reason: 'stop' }] },
  '/v1/embeddings': { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1, 2] }] },
  '/infill': { content: 'there', stop: true },
}

for (const [path, body] of Object.entries(bodies)) {
  t.test(`a request to ${path} sent twice with one Idempotency-Key is answered once`, async t => {
    const route: Script['route'] = ({ path }) => (path in nonChat ? { json: nonChat[path] } : undefined)
    const { post, upstreamCalls, rows } = await setUp(t, { route })
    const first = await post(path, body, { headers: { 'x-request-id': 'job-7' } })
    const before = upstreamCalls()
    const second = await post(path, body)
    t.equal(first.status, 200, first.text)
    t.equal(second.text, first.text)
    for (const name of ['x-signalbox-request-id', 'x-signalbox-model', 'content-type']) {
      t.equal(second.headers[name], first.headers[name], name)
    }
    t.equal(first.headers['x-request-id'], 'job-7')
    t.match([first.headers['idempotent-replayed'], second.headers['idempotent-replayed']], [undefined, 'true'])
    t.equal(upstreamCalls(), before, 'no model is called again')
    t.equal(await rows(), 1, 'and nothing is counted twice')
  })
}

t.test('a request that comes again while the first one runs waits for the same answer', async t => {
  const held = gate()
  const { post, local, rows } = await setUp(t, { answer: { hold: { before: 'headers', until: held.opened } } })
  const asked = [chat(post), chat(post), chat(post)]
  await local.untilChats(1)
  held.open()
  const [first, ...others] = await Promise.all(asked)
  for (const each of others) t.equal(each.text, first!.text)
  t.equal(local.chats.length, 1)
  t.equal(await rows(), 1)
})

t.test('who hangs up does not take the answer from those who wait for it too', async t => {
  const held = gate()
  const { post, local } = await setUp(t, { answer: { hold: { before: 'headers', until: held.opened } } })
  const hangUp = new AbortController()
  const first = chat(post, { signal: hangUp.signal }).catch(() => 'gone')
  await local.untilChats(1)
  const second = chat(post)
  // Once a later request has been answered, the second one is waiting, and then the first one is gone.
  await post('/v1/models/auto', undefined)
  hangUp.abort()
  t.equal(await first, 'gone')
  await post('/v1/models/auto', undefined)
  held.open()
  t.equal((await second).status, 200)
  t.equal(local.hangUps, 0)
})

t.test('when everybody has hung up the work ends, and the next request begins anew', async t => {
  const held = gate()
  const { post, local } = await setUp(t, {
    answer: (_request, index) => (index === 0 ? { hold: { before: 'headers', until: held.opened } } : {}),
  })
  t.teardown(held.open)
  const hangUp = new AbortController()
  const first = chat(post, { signal: hangUp.signal }).catch(() => 'gone')
  await local.untilChats(1)
  hangUp.abort()
  t.equal(await first, 'gone')
  await local.untilHangUps(1)
  t.match(await chat(post), { status: 200, headers: { 'idempotent-replayed': undefined } })
  t.equal(local.chats.length, 2)
})

t.test('another request with the same Idempotency-Key is refused, in the protocol of its caller', async t => {
  const held = gate()
  const { post, local } = await setUp(t, { answer: { hold: { before: 'headers', until: held.opened } } })
  const first = chat(post)
  await local.untilChats(1)
  const other = { model: 'auto', messages: [{ role: 'user', content: 'Something else.' }] }
  t.match(await post('/v1/chat/completions', other), {
    status: 422,
    json: { error: { code: 'idempotency_key_reused' } },
  })
  held.open()
  await first
  t.match(await post('/v1/chat/completions', other), { status: 422 })
  t.match(await post('/v1/messages', { ...other, max_tokens: 5 }), {
    status: 422,
    json: { type: 'error', error: { message: /Idempotency-Key/ } },
  })
  t.match(await chat(post, { key: 'k'.repeat(256) }), { status: 400 })
})

t.test('a failure is not kept: the same request may succeed the next time', async t => {
  const { post, local } = await setUp(t, { answer: [{ error: { status: 500, message: 'Not now.' } }, {}] })
  t.not((await chat(post)).status, 200)
  t.equal((await chat(post)).status, 200)
  t.equal(local.chats.length, 2)
})

t.test('the same Idempotency-Key of another API key, or another day, means another request', async t => {
  let later = 0
  const now = () => performance.timeOrigin + performance.now() + later
  const { post, local } = await setUp(t, {}, { SIGNALBOX_API_KEY: 'alice=a-key,bob=b-key' }, now)
  const as = (token: string) => chat(post, { headers: { authorization: `Bearer ${token}` } })
  const [alice, bob] = [await as('a-key'), await as('b-key')]
  t.not(bob.headers['x-signalbox-request-id'], alice.headers['x-signalbox-request-id'])
  later = 23.9 * 3_600_000
  t.match(await as('a-key'), { headers: { 'idempotent-replayed': 'true' } })
  later = 24.1 * 3_600_000
  t.match(await as('a-key'), { headers: { 'idempotent-replayed': undefined } })
  t.equal(local.chats.length, 3)
})

t.test('streamed answers are not kept, and requests without a key are each answered anew', async t => {
  const { post, local } = await setUp(t)
  await post('/v1/chat/completions', { model: 'auto', messages, stream: true })
  await post('/v1/chat/completions', { model: 'auto', messages, stream: true })
  await chat(post, { key: '' })
  await chat(post, { key: '' })
  t.equal(local.chats.length, 4)
})

t.test('the caller’s own request id comes back, and finds the request in the ledger', async t => {
  const { post, gateway } = await setUp(t)
  const named = await chat(post, { headers: { 'x-request-id': 'job-7/step:2' } })
  t.equal(named.headers['x-request-id'], 'job-7/step:2')
  const id = String(named.headers['x-signalbox-request-id'])
  t.match(await gateway.get(`/v1/decisions/${id}`), { json: { caller_request_id: 'job-7/step:2' } })
  const strange = await chat(post, { key: 'other', headers: { 'x-request-id': `<b>"${'x'.repeat(300)}` } })
  t.match(strange.headers['x-request-id'], /^_b__x{196}$/)
  const unnamed = await chat(post, { key: 'third' })
  t.equal(unnamed.headers['x-request-id'], unnamed.headers['x-signalbox-request-id'], 'ours where there is none')
})

type Post = Awaited<ReturnType<typeof setUp>>['post']

function chat(post: Post, options: Parameters<Post>[2] = {}): Promise<Reply> {
  return post('/v1/chat/completions', { model: 'auto', messages }, options)
}

interface PostOptions {
  key?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

async function setUp(t: Test, script: Script = {}, variables: Record<string, string> = {}, now?: () => number) {
  const local = await scriptedUpstream(t, 'llama-cpp', script)
  const gateway = await startGateway(t, { ...variablesFor(local), ...variables }, [], now === undefined ? {} : { now })
  return {
    local,
    gateway,
    upstreamCalls: () => local.requests.filter(({ method }) => method === 'POST').length,
    rows: async () => (await gateway.core.ledger.recent(100)).length,
    post: (path: string, body: object | undefined, { key = 'key-1', headers = {}, signal }: PostOptions = {}) =>
      exchange(`${gateway.url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'idempotency-key': key, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
      }),
  }
}
