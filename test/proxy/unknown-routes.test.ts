import t from 'tap'
import { exchange, startGateway } from '../helpers/start-gateway.ts'

const key = { authorization: 'Bearer sesame' }

t.test('a client of MCP finds no sign of OAuth, so that it uses the key it was given', async t => {
  const { url } = await startGateway(t, { SIGNALBOX_API_KEY: 'sesame' })
  for (const path of [
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server/mcp',
    '/.well-known/openid-configuration',
    '/authorize',
  ]) {
    t.match(
      await exchange(url + path, { method: 'GET' }),
      { status: 404, json: { error: { code: 'not_found' } } },
      path,
    )
  }
  t.equal((await exchange(`${url}/register`, { method: 'POST', body: '{}' })).status, 404)
  t.equal((await exchange(`${url}/token`, { method: 'POST', body: '{}' })).status, 404)
  t.equal((await exchange(`${url}/v1/models`, { method: 'GET' })).status, 401, 'what exists still wants the key')
})

t.test('HEAD is answered wherever GET is, without a body', async t => {
  const { url } = await startGateway(t, { SIGNALBOX_API_KEY: 'sesame' })
  for (const path of ['/', '/health', '/v1/models', '/models', '/v1/usage', '/api/tags', '/api/version']) {
    const reply = await exchange(url + path, { method: 'HEAD', headers: key })
    t.equal(reply.status, 200, path)
    t.equal(reply.text, '', path)
  }
})

t.test('a wrong method is a 405 that names the right ones, in the format of the caller’s protocol', async t => {
  const { url } = await startGateway(t)
  for (const [path, method, allow] of [
    ['/v1/chat/completions', 'GET', 'POST'],
    ['/chat/completions', 'HEAD', 'POST'],
    ['/v1/messages', 'GET', 'POST'],
    ['/v1/messages/count_tokens', 'GET', 'POST'],
    ['/v1/models', 'POST', 'GET, HEAD'],
    ['/v1/responses/resp_1', 'POST', 'DELETE, GET, HEAD'],
    ['/api/tags', 'POST', 'GET, HEAD'],
    ['/v1beta/models', 'POST', 'GET, HEAD'],
  ] as const) {
    const reply = await exchange(url + path, { method })
    t.equal(reply.status, 405, path)
    t.equal(reply.headers['allow'], allow, path)
    if (method !== 'HEAD') t.match(reply.text, /is not allowed for/, path)
  }
  const messages = await exchange(`${url}/v1/messages/batches/none`, { method: 'GET' })
  t.match(messages, { status: 404, json: { type: 'error', error: { type: 'not_found_error' } } })
  const anthropic = { 'anthropic-version': '2023-06-01' }
  const assistants = await exchange(`${url}/v1/assistants`, { method: 'GET', headers: anthropic })
  t.match(assistants, { status: 404, json: { type: 'error', error: { type: 'not_found_error' } } })
  t.match((await exchange(`${url}/v1/assistants`, { method: 'GET' })).json, { error: { code: 'not_found' } })
  t.match((await exchange(`${url}/api/blobs/none`, { method: 'GET' })).json, { error: /Not found/ })
  t.match((await exchange(`${url}/v1beta/files`, { method: 'GET' })).json, { error: { status: 'NOT_FOUND' } })
})
