import { request as send, WebSocket } from 'undici'
import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

const evil = 'https://evil.example'
const chat = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }] })
type Method = 'GET' | 'POST' | 'OPTIONS'

t.test('no page of another origin reaches any route, whatever content type it sends', async t => {
  const { upstream, reach } = await setUp(t)
  const routes: [Method, string, string?][] = [
    ['POST', '/v1/chat/completions', chat],
    ['POST', '/v1/messages', chat],
    ['POST', '/admin/status', '{}'],
    ['POST', '/api/tasks', '{"task":"x","context_length":1}'],
    ['GET', '/v1/usage'],
    ['GET', '/health'],
    ['POST', '/mcp', '{}'],
    ['GET', '/nothing/here'],
  ]
  for (const [method, path, body] of routes) {
    const origins: Record<string, string>[] = [
      { origin: evil },
      { origin: 'null' },
      { origin: 'http://localhost:9999' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
      { 'sec-fetch-site': 'same-site' },
    ]
    for (const from of origins) {
      const reply = await reach(method, path, { 'content-type': 'text/plain', ...from }, body)
      t.equal(reply.status, 403, `${method} ${path} from ${JSON.stringify(from)}`)
      t.equal(reply.headers['access-control-allow-origin'], undefined)
    }
  }
  t.equal(upstream.chats.length, 0, 'no model was asked')
})

t.test('programs and pages of Signalbox itself are let in', async t => {
  const { gateway, reach } = await setUp(t)
  const own: Record<string, string>[] = [
    {},
    { origin: gateway.url, 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ]
  for (const headers of own) {
    t.equal((await reach('POST', '/v1/chat/completions', headers, chat)).status, 200, JSON.stringify(headers))
  }
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  t.equal((await reach('GET', '/docs', link)).status, 200, 'a link may open the page')
  t.equal((await reach('GET', '/v1/usage', link)).status, 403, 'but no other path')
  t.equal((await reach('GET', '/docs', { ...link, 'sec-fetch-dest': 'iframe' })).status, 403, 'and not in a frame')
})

t.test('an origin in ALLOWED_ORIGINS gets CORS headers, its preflight included; others do not', async t => {
  const good = 'https://chat.example.com'
  const { reach } = await setUp(t, { ALLOWED_ORIGINS: `${good}, app://obsidian.md` })
  const asked = await reach('POST', '/v1/chat/completions', { origin: good, 'sec-fetch-site': 'cross-site' }, chat)
  t.match(asked, { status: 200, headers: { 'access-control-allow-origin': good, vary: /Origin/ } })
  const preflight = await reach('OPTIONS', '/v1/chat/completions', {
    origin: good,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
    'access-control-request-private-network': 'true',
  })
  t.match(preflight, {
    status: 204,
    headers: {
      'access-control-allow-origin': good,
      'access-control-allow-methods': /POST/,
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-allow-private-network': 'true',
    },
  })
  t.equal((await reach('OPTIONS', '/v1/models', { origin: evil, 'access-control-request-method': 'GET' })).status, 403)
  t.equal((await reach('GET', '/v1/models', { origin: `${good}.evil.example` })).status, 403)
})

t.test('a preflight needs no key, the request behind it does', async t => {
  const good = 'https://chat.example.com'
  const { reach } = await setUp(t, { ALLOWED_ORIGINS: good, SIGNALBOX_API_KEY: 'secret-key' })
  const asks = { origin: good, 'access-control-request-method': 'GET' }
  t.equal((await reach('OPTIONS', '/v1/models', asks)).status, 204)
  t.equal((await reach('GET', '/v1/models', { origin: good })).status, 401)
  t.equal((await reach('GET', '/v1/models', { origin: good, authorization: 'Bearer secret-key' })).status, 200)
})

t.test('the live socket opens for programs and not for pages', async t => {
  const { gateway } = await setUp(t)
  const url = gateway.url.replace('http', 'ws') + '/ws'
  const outcome = (headers: Record<string, string>) =>
    new Promise<string>(resolve => {
      const socket = new WebSocket(url, { headers })
      socket.addEventListener('message', () => {
        resolve('open')
        socket.close()
      })
      socket.addEventListener('error', () => {
        resolve('refused')
      })
    })
  t.equal(await outcome({}), 'open')
  for (const origin of [evil, 'null']) t.equal(await outcome({ origin }), 'refused', origin)
})

t.test('a name that is not this machine’s is refused unless ALLOWED_HOSTS has it', async t => {
  const closed = await setUp(t)
  const open = await setUp(t, { ALLOWED_HOSTS: 'Host.docker.internal' })
  const named = { host: 'host.docker.internal:3001' }
  t.match(await closed.reach('GET', '/health', named), { status: 403, text: /ALLOWED_HOSTS/ })
  t.equal((await open.reach('GET', '/health', named)).status, 200)
  t.equal((await open.reach('GET', '/health', { host: 'rebound.example' })).status, 403)
})

async function setUp(t: Teardown, variables: Record<string, string> = {}) {
  const upstream = await scriptedUpstream(t, 'llama-cpp', {})
  const gateway = await startGateway(t, { ...variablesFor(upstream), ...variables })
  const reach = async (method: Method, path: string, headers: Record<string, string> = {}, body?: string) => {
    const reply = await send(gateway.url + path, { method, headers, ...(body !== undefined && { body }) })
    return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() }
  }
  return { upstream, gateway, reach }
}
