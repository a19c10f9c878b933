import { request as httpRequest } from 'node:http'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { mountMcp, type McpMount } from '../../src/mcp/http.ts'
import { openShopMcp } from './bare-mcp.ts'

t.test('a request under another site’s host name is rejected', async t => {
  const { url } = await startMount(t)
  const { port } = new URL(url)
  const strangers: Record<string, string>[] = [
    { host: 'evil.example' },
    { host: `evil.example:${port}` },
    { host: `127.0.0.1:${port}`, origin: 'https://evil.example' },
    { host: `127.0.0.1:${port}`, origin: 'null' },
  ]
  for (const headers of strangers) {
    t.equal(await statusOf(url, headers), 403, JSON.stringify(headers))
  }
  t.equal(await statusOf(url, { host: `localhost:${port}`, origin: `http://localhost:${port}` }), 200)
})

t.test('with a token set, a request without it is rejected', async t => {
  const authorize: McpMount['authorize'] = request => {
    if (request.headers.authorization === 'Bearer right') return { name: 'owner' }
    throw new GatewayError('unauthorized', 'Send the token as a bearer token.')
  }
  const { url } = await startMount(t, { authorize })
  const refused = await initialize(url)
  t.equal(refused.status, 401)
  t.equal(refused.headers.get('www-authenticate'), 'Bearer')
  t.match(await refused.json(), { jsonrpc: '2.0', error: { data: { code: 'unauthorized' } } })
  t.equal((await initialize(url, { authorization: 'Bearer wrong' })).status, 401)
  t.equal((await initialize(url, { authorization: 'Bearer right' })).status, 200)
})

t.test('what an operation may do depends on who called', async t => {
  const { url } = await startMount(t, { authorize: () => ({ name: 'auditor', readOnly: true }) })
  const session = await openSession(url)
  t.match(await session.call('list_items'), { result: { structuredContent: {} } })
  t.match(await session.call('fetch_abacus'), { error: { message: /fetch_abacus not found/ } })
})

t.test('cancelling by notification reaches the operation in a session', async t => {
  const { url, shop } = await startMount(t)
  const session = await openSession(url)
  const call = abandoned(session.call('wait', 7))
  await shop.waiting
  const cancelled = await session.post({ method: 'notifications/cancelled', params: { requestId: 7 } })
  t.equal(cancelled.status, 202)
  await shop.aborted
  session.hangUp()
  await call
})

t.test('a session ended by its client stops its work', async t => {
  const { url, shop } = await startMount(t)
  const session = await openSession(url)
  const call = abandoned(session.call('wait'))
  await shop.waiting
  t.equal((await session.end()).status, 200)
  await shop.aborted
  await call
  t.equal((await session.post({ id: 9, method: 'tools/list' })).status, 404)
})

t.test('a session that is idle for too long is gone', async t => {
  const { url } = await startMount(t, { sessionIdleMs: 1 })
  const session = await openSession(url)
  await new Promise(resolve => setTimeout(resolve, 50))
  t.equal((await session.post({ id: 2, method: 'tools/list' })).status, 404)
})

t.test('a session with work to do is not idle', async t => {
  const { url, shop } = await startMount(t, { sessionIdleMs: 200 })
  const session = await openSession(url)
  const call = abandoned(session.call('wait', 3))
  await shop.waiting
  await new Promise(resolve => setTimeout(resolve, 400))
  t.equal((await session.post({ method: 'notifications/cancelled', params: { requestId: 3 } })).status, 202)
  await shop.aborted
  session.hangUp()
  await call
})

t.test('sessions are bounded: the longest idle one is ended, and when all are busy, the next is rejected', async t => {
  const { url, shop } = await startMount(t, { sessionLimit: 2 })
  const first = await openSession(url)
  const second = await openSession(url)
  await first.call('list_items')
  const third = await openSession(url)
  t.equal((await second.post({ id: 2, method: 'tools/list' })).status, 404, 'the second was idle longest')
  const calls = [abandoned(first.call('wait')), abandoned(third.call('wait'))]
  await shop.waiting
  await third.post({ id: 5, method: 'ping' })
  t.equal((await initialize(url)).status, 503)
  first.hangUp()
  third.hangUp()
  await Promise.all(calls)
})

t.test('one key’s sessions never end another’s, and each key hears why it gets no more', async t => {
  const authorize: McpMount['authorize'] = ({ headers }) => ({ name: String(headers.authorization) })
  const { url, shop } = await startMount(t, { authorize, sessionLimit: 3, sessionsPerKey: 2 })
  const [ada, eve, bob] = [{ authorization: 'ada' }, { authorization: 'eve' }, { authorization: 'bob' }]
  const isThere = async (session: Awaited<ReturnType<typeof openSession>>) =>
    (await session.post({ id: 2, method: 'tools/list' })).status === 200
  const adas = [await openSession(url, ada)]
  const eves = [await openSession(url, eve), await openSession(url, eve)]
  eves.push(await openSession(url, eve))
  t.same(await Promise.all(eves.map(isThere)), [false, true, true], 'a third session ends the first of the same key')
  adas.push(await openSession(url, ada))
  t.same(await Promise.all(adas.map(isThere)), [false, true], 'where all places are taken, too')
  t.same(await Promise.all(eves.map(isThere)), [false, true, true])
  const late = await initialize(url, bob)
  t.match([late.status, await late.json()], [503, { error: { message: /MCP_SESSION_LIMIT/ } }])
  const calls = [abandoned(eves[1]!.call('wait')), abandoned(eves[2]!.call('wait'))]
  await shop.waiting
  await eves[2]!.post({ id: 5, method: 'ping' })
  const refused = await initialize(url, eve)
  t.match([refused.status, await refused.json()], [503, { error: { message: /MCP_SESSIONS_PER_KEY/ } }])
  eves[1]!.hangUp()
  eves[2]!.hangUp()
  await Promise.all(calls)
})

t.test('a rejected request leaves no session behind', async t => {
  const { url } = await startMount(t, { sessionLimit: 1 })
  const session = await openSession(url)
  const lost = await fetch(url, {
    method: 'POST',
    headers: jsonHeaders,
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  })
  t.equal(lost.status, 400)
  t.equal((await session.post({ id: 2, method: 'tools/list' })).status, 404, 'the idle session was ended')
  t.equal((await initialize(url)).status, 200)
})

t.test('a reader that lags too far is disconnected, and its session continues', async t => {
  const { url, bus, opened, closed } = await startMount(t)
  const session = await openSession(url)
  // Each message is large, so that the buffers of the system are full after a few.
  const uri = `shop://item/${'x'.repeat(100_000)}`
  await (await session.post({ id: 2, method: 'resources/subscribe', params: { uri } })).text()
  const listening = session.listen()
  t.teardown(() => listening.destroy())
  while (!opened.includes('GET')) await new Promise(resolve => setImmediate(resolve))
  const dropped = () => closed.includes('GET')
  let sent = 0
  for (; !dropped() && sent < 2000; sent++) {
    bus.publish({ kind: 'resource_updated', uri })
    await new Promise(resolve => setImmediate(resolve))
  }
  t.ok(dropped())
  t.ok(sent > 10, 'a short lag is tolerated')
  t.match(await session.call('list_items', 3), { result: { structuredContent: {} } })
})

t.test('a body over the limit, or one that is not JSON, gets a clear answer', async t => {
  const { url } = await startMount(t, { bodyLimitBytes: 1000 })
  const post = (body: string) => fetch(url, { method: 'POST', headers: jsonHeaders, body })
  t.equal((await post(JSON.stringify({ text: 'x'.repeat(2000) }))).status, 413)
  const broken = await post('{"jsonrpc":')
  t.equal(broken.status, 400)
  t.match(await broken.json(), { error: { code: -32_700 } })
  t.equal((await fetch(url, { method: 'PUT' })).status, 405)
})

const jsonHeaders = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

async function startMount(t: Test, options: Partial<McpMount> = {}) {
  const { shop, factory, bus } = openShopMcp()
  const app = Fastify({ forceCloseConnections: true })
  const opened: string[] = []
  const closed: string[] = []
  app.addHook('onRequest', async ({ method }, reply) => {
    opened.push(method)
    reply.raw.once('close', () => closed.push(method))
  })
  mountMcp(app, { factory, bus, ...options })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  return { url: `${address}/mcp`, shop, bus, opened, closed }
}

const initializeMessage = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1.0.0' } },
}

function initialize(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { ...jsonHeaders, ...headers },
    body: JSON.stringify(initializeMessage),
  })
}

async function openSession(url: string, identity: Record<string, string> = {}) {
  const opened = await initialize(url, identity)
  await opened.text()
  const hangUp = new AbortController()
  const headers = {
    ...jsonHeaders,
    ...identity,
    'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
    'mcp-protocol-version': '2025-06-18',
  }
  const post = (message: object) =>
    fetch(url, { method: 'POST', headers, signal: hangUp.signal, body: JSON.stringify({ jsonrpc: '2.0', ...message }) })
  return {
    post,
    call: async (name: string, id = 2): Promise<unknown> => {
      const response = await post({ id, method: 'tools/call', params: { name, arguments: {} } })
      return JSON.parse((await response.text()).replace(/^event: message\ndata: /, ''))
    },
    /** Opens the stream of what the server says by itself, and reads nothing of it. */
    listen: () =>
      httpRequest(url, { headers: { ...headers, accept: 'text/event-stream' } }, response => response.pause())
        .on('error', () => undefined)
        .end(),
    end: () => fetch(url, { method: 'DELETE', headers }),
    hangUp: () => {
      hangUp.abort()
    },
  }
}

/** A call whose answer is never read. */
function abandoned(call: Promise<unknown>): Promise<unknown> {
  return call.catch(() => undefined)
}

/** `fetch` would not allow a forged Host header. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers: { ...jsonHeaders, ...headers } }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
    request.end(JSON.stringify(initializeMessage))
  })
}
