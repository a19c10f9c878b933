import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { startMcpSession } from '../helpers/mcp-session.ts'
import { rawRequest } from '../helpers/raw-request.ts'
import { scriptedUpstream, upstreamKinds } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Reply } from '../helpers/start-gateway.ts'

const openAiPaths = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings', '/v1/nothing', '/nothing']
const anthropicPaths = ['/v1/messages', '/messages', '/v1/v1/messages/count_tokens', '/v1/messages/nothing']

/** Whether an error has the format that clients of a path read. */
function hasFormatOf(path: string, body: unknown): boolean {
  const { type, error } = body as { type?: string; error?: { type?: unknown; message?: unknown; code?: unknown } }
  if (typeof error?.type !== 'string' || typeof error.message !== 'string' || error.message === '') return false
  return anthropicPaths.includes(path) ? type === 'error' : type === undefined && typeof error.code === 'string'
}

const allPaths = [...openAiPaths, ...anthropicPaths]

t.test('what no route accepts is refused in the format of the caller’s protocol', async t => {
  const { url } = await startGateway(t)
  for (const path of allPaths) {
    const deep = `{"x":${'['.repeat(600)}${']'.repeat(600)}}`
    const isKnown = !path.endsWith('nothing')
    for (const [what, status, options] of [
      ['broken JSON', 400, { body: '{"model": ' }],
      ['deep JSON', 400, { body: deep }],
      ['an unknown encoding', 415, { body: '{}', headers: { 'content-encoding': 'lzma' } }],
      ['an invalid media type', 415, { body: '{}', headers: { 'content-type': 'json' } }],
      ['a foreign host', 403, { body: '{}', headers: { host: 'evil.example' } }],
      ['a page of another site', 403, { body: '{}', headers: { origin: 'https://evil.example' } }],
    ] as const) {
      const reply = await exchange(url + path, { method: 'POST', ...options })
      t.equal(reply.status, isKnown || status === 403 ? status : 404, `${path}: ${what}`)
      t.ok(hasFormatOf(path, reply.json), `${path}: ${what}: ${reply.text}`)
    }
  }
})

t.test('a rejected key comes with the advice not to try it again, and an overload does not', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { error: { status: 429, message: 'Busy.' } } })
  const { url } = await startGateway(t, { ...variablesFor(local), SIGNALBOX_API_KEY: 'sesame' })
  const ask = (path: string, key: string) =>
    exchange(url + path, {
      method: 'POST',
      body: JSON.stringify({ model: 'auto', max_tokens: 10, messages: [{ role: 'user', content: 'Hello?' }] }),
      headers: { 'x-api-key': key },
    })
  for (const path of ['/v1/messages', '/v1/chat/completions']) {
    t.match(await ask(path, 'wrong'), { status: 401, headers: { 'x-should-retry': 'false' } })
    const busy = await ask(path, 'sesame')
    t.ok(busy.status >= 429)
    t.equal(busy.headers['x-should-retry'], undefined)
  }
})

t.test('an address that cannot be decoded is refused in the format of the caller’s protocol', async t => {
  const { url } = await startGateway(t)
  const [head, path] = [
    'POST /v1/messages/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    '/v1/messages',
  ]
  const reply = await rawRequest(url, head)
  t.equal(reply.status, 400)
  t.ok(hasFormatOf(path, JSON.parse(reply.body)), reply.body)
  const other = await exchange(`${url}/v1/responses/${'x'.repeat(600)}`, { method: 'GET' })
  t.equal(other.status, 431)
  t.ok(hasFormatOf('/v1/responses', other.json), other.text)
})

t.test('what Node’s parser refuses is refused in the format of the caller’s protocol', async t => {
  const { url } = await startGateway(t)
  for (const path of allPaths) {
    const start = `POST ${path} HTTP/1.1\r\nHost: localhost\r\n`
    for (const [what, status, text] of [
      ['long headers', 431, `${start}X-Long: ${'a'.repeat(20_000)}\r\n\r\n`],
      ['a long address', 431, `POST ${path}?${'a'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
      ['an invalid length', 400, `${start}Content-Length: many\r\n\r\n`],
      ['an invalid chunk', 400, `${start}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
      ['no Host', 400, `POST ${path} HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`],
      ['an unknown expectation', 417, `${start}Expect: miracles\r\nContent-Length: 0\r\n\r\n`],
    ] as const) {
      const reply = await rawRequest(url, text)
      t.equal(reply.status, status, `${path}: ${what}`)
      t.match(reply.head, /content-type: application\/json/)
      t.ok(hasFormatOf(path, JSON.parse(reply.body)), `${path}: ${what}: ${reply.body}`)
    }
  }
})

t.test('with RESPONSES_WEBSOCKETS false, a client that tries one is told at once to go on without', async t => {
  const { url } = await startGateway(t, { RESPONSES_WEBSOCKETS: 'false' })
  const handshake = request(`${url}/v1/responses`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
      'openai-beta': 'responses_websockets=2026-02-06',
    },
  }).end()
  const [reply] = (await once(handshake, 'response')) as [IncomingMessage]
  t.equal(reply.statusCode, 426)
  t.match(await json(reply), {
    error: { code: 'websocket_refused', message: /no WebSocket now; send the request by POST/ },
  })
})

t.test('a known path with another method is 405 with the methods it has, HEAD and QUERY too', async t => {
  const { url } = await startGateway(t)
  for (const [path, allow] of [
    ['/v1/chat/completions', 'POST'],
    ['/v1/messages', 'POST'],
    ['/v1/responses/resp_1', 'DELETE, GET, HEAD'],
    ['/health', 'GET, HEAD'],
    ['/mcp', 'GET, POST, DELETE'],
  ] as const) {
    for (const method of ['PUT', 'PATCH', 'QUERY', 'TRACE', ...(allow.includes('GET') ? [] : ['HEAD', 'GET'])]) {
      const reply = await rawRequest(url, `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      t.equal(reply.status, 405, `${method} ${path}`)
      t.match(reply.head, `\r\nallow: ${allow.toLowerCase()}\r\n`)
      t.equal(reply.body === '', method === 'HEAD')
    }
  }
})

t.test('a body nested too deep is a 400 for every protocol, streamed or not, and no server gets it', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  for (const levels of [600, 50_000]) {
    const deep = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
    for (const stream of [true, false]) {
      for (const [path, fields] of [
        ['/v1/chat/completions', `"messages":[{"role":"user","content":"Hello?"}],"response_format":${deep}`],
        ['/v1/messages', `"max_tokens":9,"messages":[{"role":"user","content":"Hello?"}],"metadata":${deep}`],
        ['/v1/responses', `"input":"Hello?","metadata":${deep}`],
      ] as const) {
        const body = `{"model":"auto","stream":${stream},${fields}}`
        const reply = await exchange(gateway.url + path, { method: 'POST', body })
        t.equal(reply.status, 400, `${path}, ${levels} levels`)
        t.match(reply.json.error.message, /512 levels/)
      }
    }
  }
  t.equal(local.chats.length, 0)
})

t.test('tool arguments nested too deep reach every kind of server as text and overflow nothing', async t => {
  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`
  for (const kind of upstreamKinds) {
    const model = { name: 'scripted', contextTokens: 200_000, loadedContextTokens: 200_000 }
    const server = await scriptedUpstream(t, kind, { models: [model] })
    const gateway = await startGateway(t, variablesFor(server))
    const reply = await gateway.ask({
      messages: [
        { role: 'user', content: 'Hello?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: deep } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'done' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    })
    t.equal(reply.status, 200, `${kind}: ${reply.text.slice(0, 200)}`)
  }
})

t.test('an answer nested too deep is the server’s error, and another server answers', async t => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const answer = `{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"x":${deep}}]}`
  for (const stream of [true, false]) {
    const bad = await scriptedUpstream(t, 'llama-cpp', {
      models: ['bad'],
      answer: { raw: { headers: { 'content-type': 'application/json' }, body: answer } },
    })
    const good = await scriptedUpstream(t, 'lm-studio', { models: ['good'] })
    const gateway = await startGateway(t, variablesFor(bad, good))
    const reply = await gateway.ask({ model: 'bad', models: ['good'], stream })
    t.equal(reply.status, 200)
    t.match(reply.headers['x-signalbox-model'], /good/)
  }
})

t.test('a name of Object’s prototype is an unknown model, in each protocol', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  for (const model of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    t.equal((await gateway.ask({ model })).status, 404, model)
    t.equal((await gateway.post('/v1/responses', { model, input: 'Hello?' })).status, 404)
    const messages = [{ role: 'user', content: 'Hello?' }]
    t.equal((await gateway.post('/v1/messages', { model, max_tokens: 9, messages })).status, 404)
    t.equal((await gateway.post('/v1/embeddings', { model, input: 'Hello?' })).status, 404)
  }
})

t.test('an unknown period of cost is a 400 that names the field', async t => {
  const gateway = await startGateway(t)
  t.match(await gateway.post('/admin/cost', { period: 'x' }), { status: 400, json: { error: { message: /period/ } } })
})

t.test('a tool or a tool call whose name is an object is a 400 that names the field', async t => {
  const local = await scriptedUpstream(t, 'ollama')
  const gateway = await startGateway(t, variablesFor(local))
  const called = { id: 'c', type: 'function', function: { name: { a: 1 }, arguments: '{}' } }
  const calling = { role: 'assistant', content: null, tool_calls: [called] }
  t.match(await gateway.ask({ messages: [{ role: 'user', content: 'Hello?' }, calling] }), {
    status: 400,
    json: { error: { param: 'messages.1.tool_calls.0.function.name' } },
  })
  t.match(await gateway.ask({ tools: [{ type: 'function', function: { name: { a: 1 } } }] }), {
    status: 400,
    json: { error: { param: 'tools.0.function.name' } },
  })
})

t.test('an empty Content-Type counts as none', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const headers = { 'content-type': '' }
  t.equal((await gateway.ask({}, { headers })).status, 200)
  const mcp = await exchange(`${gateway.url}/mcp`, { method: 'POST', body: '{}', headers })
  t.equal(mcp.status, 415)
  t.match(mcp.json, { jsonrpc: '2.0', error: { message: /Content-Type/ } })
})

t.test('a refusal reaches a client that is still writing its body', async t => {
  const { url } = await startGateway(t, { SIGNALBOX_API_KEY: 'sesame' })
  const megabyte = Buffer.alloc(1024 * 1024, 0x61)
  for (const [key, status] of [
    ['sesame', 413],
    ['wrong', 401],
  ] as const) {
    const head = `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${key}\r\nConnection: close\r\n`
    for (const isChunked of [false, true]) {
      const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${40 * megabyte.length}`
      let wrote = 0
      const reply = await rawRequest(url, `${head}${length}\r\n\r\n`, async write => {
        for (let piece = 0; piece < 40; piece++) {
          const bytes = isChunked ? Buffer.concat([Buffer.from('100000\r\n'), megabyte, Buffer.from('\r\n')]) : megabyte
          if (await write(bytes)) wrote++
        }
        if (isChunked) await write('0\r\n\r\n')
      })
      t.equal(reply.status, status)
      t.equal(wrote, 40, 'all of it could be written')
      t.match(reply.head, /\r\nconnection: close/)
      t.ok(hasFormatOf('/v1/messages', JSON.parse(reply.body)), reply.body)
    }
  }
})

t.test('headers and bodies that stall or trickle are refused, and steady slow ones are not', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const { url } = await startGateway(t, { ...variablesFor(local), CLIENT_STALL_TIMEOUT_MS: '1000' })
  const head = 'POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n'
  for (const [what, text] of [
    ['nothing at all', ''],
    ['headers without end', head],
    ['a body that does not come', `${head}Content-Length: 1000\r\n\r\n{`],
    ['a chunked one', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`],
    ['one for MCP', `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{`],
  ] as const) {
    const reply = await rawRequest(url, text)
    t.equal(reply.status, 408, what)
    t.match(reply.body, /CLIENT_STALL_TIMEOUT_MS/)
  }
  const body = JSON.stringify({
    model: 'auto',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'a'.repeat(500_000) }],
  })
  const reply = await rawRequest(url, `${head}Content-Length: ${body.length}\r\n\r\n`, async write => {
    for (let at = 0; at < body.length; at += 30_000) {
      await write(body.slice(at, at + 30_000))
      await setTimeout(150)
    }
  })
  t.equal(reply.status, 400, 'the model’s context is too small, so it arrived')
})

t.test('without an API key /health says only that it lives, and with one it shows the servers', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, { ...variablesFor(local), SIGNALBOX_API_KEY: 'sesame' })
  t.strictSame((await gateway.get('/health')).json, { status: 'ok' })
  const health = (key: string): Promise<Reply> =>
    exchange(`${gateway.url}/health`, { method: 'GET', headers: { 'x-api-key': key } })
  t.match((await health('sesame')).json, { status: 'ok', providers: [{ name: 'llama-cpp' }], ledger: { ok: true } })
  t.equal((await health('wrong')).status, 401)
})

t.test('the headers of an event stream of MCP arrive before its first event', async t => {
  const gateway = await startGateway(t)
  const session = await startMcpSession(gateway.url)
  const headers = { ...session, accept: 'text/event-stream' }
  // Nothing happens in this session, so there is no event before the first keep-alive after 15 s.
  const stream = await fetch(`${gateway.url}/mcp`, { headers, signal: AbortSignal.timeout(10_000) })
  t.equal(stream.status, 200)
  await stream.body?.cancel()
})

t.test('a body of more values or fields than any request needs is refused before it takes long', async t => {
  const gateway = await startGateway(t)
  const values = await exchange(`${gateway.url}/v1/embeddings`, {
    method: 'POST',
    body: `{"input":[${'1,'.repeat(300_000)}1]}`,
  })
  t.equal(values.status, 413)
  t.match(values.json.error.message, /more than 300,000 values/)
  const fields = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`field_${index}`, index]))
  const many = await gateway.post('/v1/chat/completions', { messages: [], ...fields })
  t.equal(many.status, 400)
  t.match(many.json.error.message, /more than 1000 fields/)
  const longNames = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`field_${index}`, [index]]))
  const tooMany = await gateway.post('/v1/chat/completions', { messages: [], ...longNames })
  t.equal(tooMany.status, 400)
  t.match(tooMany.json.error.message, /more than 1000 fields/)
  // Commas, brackets and quotes in a text are no values.
  const text = ',[{"\\\\'.repeat(200_000)
  const long = await gateway.post('/v1/chat/completions', {
    model: 'none',
    messages: [{ role: 'user', content: text }],
  })
  t.equal(long.status, 404, long.text.slice(0, 200))
})
