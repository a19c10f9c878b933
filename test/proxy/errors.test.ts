import { gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('a body that is not valid JSON is a 400 that says so', async t => {
  const gateway = await startGateway(t)
  const reply = await exchange(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{"model": ' })
  t.equal(reply.status, 400)
  t.match(reply.json.error, { code: 'invalid_json', type: 'invalid_request_error' })
})

t.test('a wrong field is a 400 that names it', async t => {
  const gateway = await startGateway(t)
  for (const [body, param] of [
    [{ messages: 'Hello' }, 'messages'],
    [{ messages: [] }, 'messages'],
    [{ messages: [{ content: 'no role' }] }, 'messages.0.role'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ stream: 'yes' }, 'stream'],
  ] as const) {
    const reply = await gateway.ask(body)
    t.equal(reply.status, 400, param)
    t.match(reply.json.error, { code: 'invalid_request', param })
  }
})

t.test('without any server a request gets a 503 that names what to start', async t => {
  const gateway = await startGateway(t)
  const reply = await gateway.ask()
  t.equal(reply.status, 503)
  t.match(reply.json.error, { code: 'no_backend', message: /Start Ollama/ })
})

t.test('a prompt that is too long is told to Messages clients as Claude Code reads it, with both numbers', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: [{ name: 'scripted', contextTokens: 4096 }],
    answer: {
      error: {
        status: 400,
        message: 'request (5000 tokens) exceeds the available context size (4096 tokens)',
      },
    },
  })
  const gateway = await startGateway(t, variablesFor(local))
  for (const words of [3, 20_000]) {
    const { status, json } = await exchange(`${gateway.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({
        model: 'auto',
        max_tokens: 50,
        messages: [{ role: 'user', content: 'word '.repeat(words) }],
      }),
    })
    t.equal(status, 400)
    const [, needed, most] = /prompt is too long[^0-9]*(\d+)\s*tokens?\s*>\s*(\d+)/.exec(json.error.message) ?? []
    t.ok(Number(needed) > Number(most), json.error.message)
    // One is refused here, with room kept for the answer, and one by the server.
    t.equal(Number(most), words === 3 ? 4096 : 4096 - 50)
  }
})

t.test('an unknown model is a 404 with similar names', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['qwen3-coder'] })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask({ model: 'qwen3-codr' })
  t.equal(reply.status, 404)
  t.match(reply.json.error, { code: 'model_not_found', param: 'model', message: /llama-cpp\/qwen3-coder/ })
})

t.test('a prompt that fits nowhere is a 400 with both numbers', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: [{ name: 'small', loadedContextTokens: 2048 }] })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask({ messages: [{ role: 'user', content: 'word '.repeat(5000) }] })
  t.equal(reply.status, 400)
  t.equal(reply.json.error.code, 'context_length_exceeded')
  t.match(reply.json.error.message, /\d{4,} prompt/)
  t.match(reply.json.error.message, /2048/)
  t.equal(local.chats.length, 0)
})

t.test('space for the answer is reserved when a prompt is compared with a context', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: [{ name: 'small', loadedContextTokens: 2048 }] })
  const gateway = await startGateway(t, variablesFor(local))
  const messages = [{ role: 'user', content: 'word '.repeat(1200) }]
  t.equal((await gateway.ask({ messages, max_tokens: 100 })).status, 200)
  t.equal((await gateway.ask({ messages: [{ role: 'user', content: 'word '.repeat(1900) }] })).status, 400)
})

t.test("an upstream's rate limit reaches the caller as 429 with its Retry-After", async t => {
  const local = await scriptedUpstream(t, 'openrouter', {
    models: ['lab/only'],
    answer: { error: { status: 429, message: 'slow down' }, headers: { 'retry-after': '17' } },
  })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await gateway.ask({ model: 'openrouter/lab/only' })
  t.equal(reply.status, 429)
  t.equal(reply.headers['retry-after'], '17')
  t.equal(reply.json.error.code, 'upstream_rate_limited')
  const again = await gateway.ask({ model: 'openrouter/lab/only' })
  t.equal(again.status, 429)
  t.ok(Number(again.headers['retry-after']) <= 17)
  t.equal(local.chats.length, 1, 'the second request did not reach the server')
})

t.test('a body over 32 MB is a 413, compressed or not', async t => {
  const gateway = await startGateway(t)
  const huge = Buffer.alloc(33 * 1024 * 1024, 0x20)
  const url = `${gateway.url}/v1/chat/completions`
  const plain = await exchange(url, { method: 'POST', body: huge })
  t.equal(plain.status, 413)
  t.match(plain.json.error.message, /32 MB/)
  const packed = await exchange(url, { method: 'POST', body: gzipSync(huge), headers: { 'content-encoding': 'gzip' } })
  t.equal(packed.status, 413)
})

t.test('compressed bodies are decompressed, damaged or unsupported ones rejected', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const url = `${gateway.url}/v1/chat/completions`
  const body = Buffer.from(JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello?' }] }))
  const post = (bytes: Buffer, encoding: string) =>
    exchange(url, { method: 'POST', body: bytes, headers: { 'content-encoding': encoding } })
  t.equal((await post(gzipSync(body), 'gzip')).status, 200)
  t.equal((await post(zstdCompressSync(body), 'zstd')).status, 200)
  t.equal((await post(body, 'gzip')).status, 400)
  t.equal((await post(body, 'lzma')).status, 415)
})

t.test('an unknown path and a wrong method get errors of the same shape', async t => {
  const gateway = await startGateway(t)
  t.match((await gateway.get('/v1/nothing')).json, { error: { code: 'not_found', message: /base URL/ } })
  t.match(await gateway.get('/v1/chat/completions'), { status: 405, headers: { allow: 'POST' } })
})

t.test('every upstream failure is an error for the caller too, and never reveals the API key', async t => {
  for (const [status, expected] of [
    [400, 400],
    [401, 502],
    [402, 402],
    [404, 404],
    [500, 502],
    [503, 503],
  ] as const) {
    const remote = await scriptedUpstream(t, 'openrouter', {
      models: ['lab/only'],
      answer: { error: { status, message: `refused test-key`, fields: {} }, headers: { 'retry-after': '3' } },
    })
    const gateway = await startGateway(t, variablesFor(remote))
    const reply = await gateway.ask({ model: 'openrouter/lab/only' })
    t.equal(reply.status, expected, `${status} becomes ${expected}`)
    t.match(reply.json.error.message, /refused/)
    t.notOk(reply.text.includes('test-key'))
    t.notOk(JSON.stringify(reply.headers).includes('test-key'))
    const [row] = await gateway.core.ledger.recent(1)
    t.equal(row?.outcome, 'error')
    t.notOk(JSON.stringify(await gateway.core.ledger.request(row!.id)).includes('test-key'))
  }
})

t.test('a configured API key is required, as a bearer token or x-api-key', async t => {
  const gateway = await startGateway(t, { SIGNALBOX_API_KEY: 'sesame,alice=open' })
  t.equal((await gateway.ask()).status, 401)
  t.equal((await gateway.ask({}, { headers: { authorization: 'Bearer wrong' } })).status, 401)
  t.equal((await gateway.ask({}, { headers: { authorization: 'Bearer sesame' } })).status, 503)
  t.equal((await gateway.ask({}, { headers: { 'x-api-key': 'open' } })).status, 503)
  const rows = await gateway.core.ledger.recent(10)
  t.match(rows[0], { key_id: 'alice' })
  t.match(rows[1], { key_id: /^key-[0-9a-f]{8}$/ })
  t.notOk(JSON.stringify(rows).includes('sesame'))
})

t.test('a web page cannot reach the port under a name of its own', async t => {
  const gateway = await startGateway(t)
  const reply = await gateway.ask({}, { headers: { host: 'evil.example' } })
  t.equal(reply.status, 403)
})
