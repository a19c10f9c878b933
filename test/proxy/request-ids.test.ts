import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import t from 'tap'
import { rawRequest } from '../helpers/raw-request.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Reply } from '../helpers/start-gateway.ts'

const message = { model: 'auto', max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hi' }] }

t.test('every answer has its request id under the names that clients of all vendors read', async t => {
  const { url } = await startGateway(t, variablesFor(await scriptedUpstream(t, 'llama-cpp')))
  const post = (path: string, body: object) =>
    exchange(url + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    })
  const replies: Record<string, Promise<Reply>> = {
    'a whole answer': post('/v1/messages', message),
    'a stream': post('/v1/chat/completions', { ...message, stream: true }),
    'an error': post('/v1/responses', { model: 'no-such-model', input: 'Hi' }),
    'broken JSON': exchange(`${url}/v1/messages`, { method: 'POST', body: '{' }),
    'an unknown path': exchange(`${url}/v1/nothing`, { method: 'GET' }),
    'a list': exchange(`${url}/v1/models`, { method: 'GET' }),
    'no body': exchange(`${url}/`, { method: 'HEAD' }),
    'an answer of MCP': post('/mcp', { jsonrpc: '2.0', id: 1, method: 'ping' }),
    'an error of MCP': exchange(`${url}/mcp`, { method: 'POST', body: '{' }),
  }
  for (const [what, replying] of Object.entries(replies)) {
    const { headers } = await replying
    const id = headers['x-signalbox-request-id']
    t.match(id, /^req_/, what)
    t.equal(headers['x-request-id'], id, what)
    t.equal(headers['request-id'], id, what)
  }
})

t.test('a request that is no HTTP has an id too', async t => {
  const { url } = await startGateway(t)
  for (const text of [
    'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n',
    'POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\nConnection: close\r\n\r\n',
  ]) {
    const { head } = await rawRequest(url, text)
    t.match(head, /\r\nx-request-id: req_/)
    t.match(head, /\r\nrequest-id: req_/)
  }
})

t.test('the caller’s own id comes back in x-request-id, and ours stays beside it', async t => {
  const gateway = await startGateway(t)
  const { headers } = await gateway.ask({}, { headers: { 'x-request-id': 'mine-1' } })
  t.equal(headers['x-request-id'], 'mine-1')
  t.match(headers['request-id'], /^req_/)
})

t.test('errors of Messages hold the id of their request, before and within a stream', async t => {
  const upstream = await scriptedUpstream(t, 'llama-cpp', { answer: { text: ['Hel', 'lo'], breakBefore: 1 } })
  const gateway = await startGateway(t, variablesFor(upstream))
  const refused = await gateway.post('/v1/messages', { ...message, model: 'no-such-model' })
  t.equal(refused.json.request_id, refused.headers['request-id'])
  const unread = await exchange(`${gateway.url}/v1/messages`, { method: 'POST', body: '{' })
  t.equal(unread.json.request_id, unread.headers['request-id'])
  const broken = await gateway.post('/v1/messages', { ...message, stream: true })
  t.match(broken.events.at(-1), { type: 'error', request_id: broken.headers['request-id'] })
  const { body } = await rawRequest(
    gateway.url,
    'POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n',
  )
  t.match(JSON.parse(body), { type: 'error', request_id: /^req_/ })
})

t.test('the SDKs of OpenAI and Anthropic find the id of an answer and of an error', async t => {
  const { url } = await startGateway(t, variablesFor(await scriptedUpstream(t, 'llama-cpp')))
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
  const anthropic = new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 })
  t.match((await openai.chat.completions.create(message))._request_id, /^req_/)
  t.match((await anthropic.messages.create(message))._request_id, /^req_/)
  const unknown = { ...message, model: 'no-such-model' }
  const refused = await openai.chat.completions.create(unknown).catch((error: unknown) => error)
  t.match(refused, { status: 404, requestID: /^req_/ })
  const refusedToo = await anthropic.messages.create(unknown).catch((error: unknown) => error)
  t.match(refusedToo, { status: 404, requestID: /^req_/, error: { request_id: /^req_/ } })
})
