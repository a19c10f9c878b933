import OpenAI, { AzureOpenAI } from 'openai'
import t, { type Test } from 'tap'
import { WebSocket } from 'undici'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('OpenAI’s Azure client chats, streams and answers Responses, with its own key header', async t => {
  const { gateway, azure, local } = await setUp(t)
  const client = azure('first')
  const asked = { model: 'ignored', messages: [{ role: 'user' as const, content: 'Hi' }] }
  const whole = await client.chat.completions.create(asked)
  t.equal(whole.choices[0]?.message.content, 'Hello from first.')
  let text = ''
  for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? ''
  }
  t.equal(text, 'Hello from first.')
  const answer = await client.responses.create({ model: 'first', input: 'Hi' })
  t.equal(answer.output_text, 'Hello from first.')
  t.same(
    (await client.models.list()).data.map(({ id }) => id).filter(id => id.startsWith('llama-cpp/')),
    ['llama-cpp/first', 'llama-cpp/second'],
  )
  t.ok(local.chats.every(({ body }) => body['model'] === 'first'))
  const wrong = await exchange(`${gateway.url}/openai/deployments/first/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': 'wrong' },
    body: '{}',
  })
  t.equal(wrong.status, 401)
})

t.test('the deployment of an address names the model, with slashes in it as written and as %2F', async t => {
  const { gateway, local } = await setUp(t)
  for (const name of ['second', 'llama-cpp/second', 'llama-cpp%2Fsecond']) {
    const reply = await exchange(
      `${gateway.url}/openai/deployments/${name}/chat/completions?api-version=2026-10-01-preview`,
      { method: 'POST', headers: { 'api-key': 'secret-key' }, body: '{"messages":[{"role":"user","content":"Hi"}]}' },
    )
    t.equal(reply.headers['x-signalbox-model'], 'llama-cpp/second', name)
  }
  t.same([...new Set(local.chats.map(({ body }) => body['model']))], ['second'])
})

t.test('the addresses of other services lead to the same routes, WebSockets too', async t => {
  const { gateway } = await setUp(t)
  for (const base of ['/v1', '/openai/v1', '/openai', '/api/v1', '//api/v1/']) {
    const client = new OpenAI({ baseURL: gateway.url + base, apiKey: 'secret-key', maxRetries: 0 })
    const { choices } = await client.chat.completions.create({
      model: 'first',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    t.equal(choices[0]?.message.content, 'Hello from first.', base)
  }
  const tags = await exchange(`${gateway.url}/api/tags`, { method: 'GET', headers: { 'api-key': 'secret-key' } })
  t.equal(tags.status, 200, 'Ollama’s addresses stay its own')
  for (const base of ['/openai/v1', '/api/v1']) {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${base}/responses`, {
      headers: { 'api-key': 'secret-key' },
    })
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error(base)))
    })
    socket.close()
  }
})

t.test('an unknown path is 404 with what there is instead, in the words it was asked with', async t => {
  const { gateway } = await setUp(t)
  for (const [path, message] of [
    ['/v1/threads/t_1/runs', /\/v1\/responses; it keeps conversations/],
    ['/openai/assistants', /Not found: GET \/openai\/assistants\. Use \/v1\/responses/],
    ['/v1/messages/batches', /\/v1\/batches/],
    ['/v1/chat/completion', /Did you mean \/v1\/chat\/completions\?/],
    ['/v1/qqqqqqqqqqqqqqqqqqqq', /The base URL for clients is/],
    [`/v1/${'a/'.repeat(4_000)}`, /Not found/],
  ] as const) {
    const reply = await exchange(gateway.url + path, { method: 'GET', headers: { 'api-key': 'secret-key' } })
    t.equal(reply.status, 404, path.slice(0, 60))
    t.match(reply.json.error.message, message)
  }
})

async function setUp(t: Test) {
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: ['first', 'second'],
    answer: ({ body }) => ({ text: `Hello from ${String(body['model'])}.` }),
  })
  const gateway = await startGateway(t, { ...variablesFor(local), SIGNALBOX_API_KEY: 'secret-key' })
  const azure = (deployment: string) =>
    new AzureOpenAI({
      endpoint: gateway.url,
      apiKey: 'secret-key',
      apiVersion: '2026-10-01-preview',
      deployment,
      maxRetries: 0,
    })
  return { local, gateway, azure }
}
