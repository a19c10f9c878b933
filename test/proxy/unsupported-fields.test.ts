import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

async function setUp(t: Teardown) {
  const upstream = await scriptedUpstream(t, 'llama-cpp', { models: [{ name: 'scripted', tools: true }] })
  const { url } = await startGateway(t, variablesFor(upstream))
  const post = (path: string, body: object) =>
    exchange(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  return { upstream, url, post }
}

const message = { model: 'auto', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }

t.test(
  'a thread of the Messages protocol is refused with the code its SDK understands, not answered wrongly',
  async t => {
    const { upstream, post } = await setUp(t)
    for (const thread of [{ type: 'create' }, { type: 'continue', previous_message_id: 'msg_1' }]) {
      const { status, json } = await post('/v1/messages', { ...message, thread })
      t.equal(status, 400)
      t.match(json, {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: /whole conversation/,
          details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] },
        },
      })
    }
    t.equal(upstream.chats.length, 0)
  },
)

t.test('the tool runner of Anthropic’s SDK finishes its tool call', async t => {
  const { upstream, url } = await setUp(t)
  upstream.script.answer = ({ body }) =>
    JSON.stringify(body['messages']).includes('19 degrees')
      ? { text: 'It is 19 degrees.' }
      : { toolCalls: [{ name: 'weather', arguments: { city: 'Bern' }, id: 'call_1' }] }
  const client = new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 })
  const last = await client.beta.messages.toolRunner({
    ...message,
    messages: [{ role: 'user', content: 'How warm is it in Bern?' }],
    tools: [
      {
        type: 'custom',
        name: 'weather',
        input_schema: { type: 'object', properties: { city: { type: 'string' } } },
        parse: (input: unknown) => input,
        run: () => '19 degrees',
      },
    ],
  })
  t.match(last.content, [{ type: 'text', text: 'It is 19 degrees.' }])
})

t.test('what only Anthropic’s servers run is refused by other servers, and named', async t => {
  const { post } = await setUp(t)
  const servers = [{ type: 'url', url: 'https://mcp.example.com', name: 'example' }]
  for (const [field, value] of Object.entries({ mcp_servers: servers, container: 'container_1' })) {
    const { status, json } = await post('/v1/messages', { ...message, [field]: value })
    t.equal(status, 400)
    t.match(json.error, { type: 'invalid_request_error', message: new RegExp(field) })
  }
  t.equal((await post('/v1/messages', { ...message, mcp_servers: [], container: null })).status, 200)
})

t.test('a field of Messages that has no equivalent is left out with a note', async t => {
  const { post } = await setUp(t)
  const { status, headers } = await post('/v1/messages', { ...message, inference_geo: 'eu' })
  t.equal(status, 200)
  t.match(headers['x-signalbox-notes'], /inference_geo was omitted/)
})

t.test('what only OpenAI’s servers keep or run is refused in Responses, with what to do instead', async t => {
  const { upstream, post } = await setUp(t)
  const fields = { background: true, conversation: 'conv_1', prompt: { id: 'pmpt_1' } }
  for (const [field, value] of Object.entries(fields)) {
    const { status, json } = await post('/v1/responses', { model: 'auto', input: 'Hi', [field]: value })
    t.equal(status, 400)
    t.match(json.error, { code: 'unsupported', param: field, message: new RegExp(`${field} is not supported here; `) })
  }
  t.equal(upstream.chats.length, 0)
  t.equal((await post('/v1/responses', { model: 'auto', input: 'Hi', background: false })).status, 200)
})
