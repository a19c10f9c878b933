import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { request as send } from 'undici'
import { GatewayError } from '../../src/errors.ts'
import { openAiCompatible } from '../../src/providers/openai-compatible.ts'
import { failureOf } from '../helpers/failure-of.ts'
import { gate, scriptedUpstream, type Answer, type Script } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor, type Teardown, type TestGateway } from '../helpers/start-gateway.ts'

const frame = (event: { type: string; [field: string]: unknown }) =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

const start = frame({
  type: 'message_start',
  message: {
    id: 'msg_its_own',
    type: 'message',
    role: 'assistant',
    model: 'scripted',
    content: [],
    stop_reason: null,
    container: { id: 'box' },
    usage: { input_tokens: 7, cache_creation_input_tokens: 300, cache_read_input_tokens: 2000, output_tokens: 1 },
  },
})
const says = (text: string) =>
  frame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text, of_tomorrow: 1 } })
const opening = frame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
const closing = [
  frame({ type: 'content_block_stop', index: 0 }),
  frame({
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 40 },
    context_management: { applied_edits: [{ type: 'clear_tool_uses_20250919' }] },
  }),
  frame({ type: 'message_stop' }),
].join('')
const whole = start + frame({ type: 'ping' }) + opening + says('Grüß ') + says('"type":"error"') + closing

const streaming = (body: string | readonly string[]): Answer => ({
  raw: { headers: { 'content-type': 'text/event-stream' }, body },
})

async function setUp(t: Teardown, script: Script, variables: Record<string, string> = {}) {
  const upstream = await scriptedUpstream(t, 'openai-compatible', script)
  const gateway = await startGateway(t, { QUALITY_THRESHOLD: '0', ...variables }, [
    {
      kind: 'openai-compatible',
      name: 'native',
      url: `${upstream.url}/v1`,
      named: true,
      nativeProtocols: ['messages'],
    },
  ])
  return { upstream, gateway }
}

const question = {
  model: 'native/scripted',
  max_tokens: 100,
  stream: true,
  messages: [{ role: 'user', content: 'Hello?' }],
}

function ask({ url }: TestGateway, body: object, headers: Record<string, string> = {}) {
  return exchange(`${url}/v1/messages`, { method: 'POST', body: JSON.stringify(body), headers })
}

t.test('a Messages server gets the request and its headers unchanged', async t => {
  const { upstream, gateway } = await setUp(t, { answer: streaming(whole) })
  const written = {
    ...question,
    context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
    thinking: { type: 'adaptive' },
    a_field_of_tomorrow: { kept: true },
    metadata: { user_id: 'somebody' },
    tools: [{ type: 'web_search_20250305', name: 'web_search' }],
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hello?', citations: { enabled: true } }] },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }] },
      { role: 'user', content: 'Well?' },
    ],
  }
  const headers = { 'anthropic-beta': 'context-management-2025-06-27', 'anthropic-version': '2023-06-01' }
  const reply = await ask(gateway, written, headers)
  t.strictSame(upstream.chats[0]?.body, { ...written, model: 'scripted' })
  t.equal(upstream.chats[0]?.path, '/v1/messages')
  t.match(upstream.chats[0]?.headers, headers)
  t.equal(reply.headers['x-signalbox-notes'], undefined)
})

t.test('its frames reach the caller byte for byte except for the model name', async t => {
  for (const writeBytes of [undefined, 1]) {
    const answer = { ...streaming(whole), ...(writeBytes === undefined ? {} : { writeBytes }) }
    const { gateway } = await setUp(t, { answer })
    const reply = await ask(gateway, question)
    t.equal(reply.text, whole.replace('"model":"scripted"', '"model":"native/scripted"'))
  }
})

t.test('a buffered response keeps every field', async t => {
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text: 'Hi.', citations: [{ type: 'of_tomorrow' }] }],
    model: 'scripted',
    stop_reason: 'end_turn',
    container: { id: 'box' },
    usage: { input_tokens: 3, output_tokens: 2, service_tier: 'standard' },
  }
  const headers = { 'content-type': 'application/json' }
  const { gateway } = await setUp(t, { answer: { raw: { headers, body: JSON.stringify(message) } } })
  const reply = await ask(gateway, { ...question, stream: false })
  t.strictSame(reply.json, { ...message, model: 'native/scripted' })
  t.match(await gateway.core.ledger.recent(1), [{ outcome: 'ok', input_tokens: 3, output_tokens: 2 }])
})

t.test('exact usage is in the ledger, with cache reads and writes', async t => {
  const { gateway } = await setUp(t, { answer: streaming(whole) })
  await ask(gateway, question)
  t.match(await gateway.core.ledger.recent(1), [
    {
      outcome: 'ok',
      input_tokens: 7,
      cache_read_tokens: 2000,
      cache_write_tokens: 300,
      output_tokens: 40,
      usage_estimated: false,
    },
  ])
})

t.test('fields that only Signalbox or another server supports are removed', async t => {
  const { upstream, gateway } = await setUp(t, { answer: streaming(whole) })
  await ask(gateway, {
    ...question,
    metadata: { user_id: 'somebody', max_cost: 1 },
    system: [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=2; cch=a1b2c;' },
      { type: 'text', text: 'Be brief.' },
    ],
    messages: [
      { role: 'user', content: 'Hello?' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'of a local model', signature: '' },
          { type: 'text', text: 'Yes?' },
        ],
      },
      { role: 'user', content: 'Well?' },
    ],
  })
  t.strictSame(upstream.chats[0]?.body, {
    ...question,
    model: 'scripted',
    metadata: { user_id: 'somebody' },
    system: [{ type: 'text', text: 'Be brief.' }],
    messages: [
      { role: 'user', content: 'Hello?' },
      { role: 'assistant', content: [{ type: 'text', text: 'Yes?' }] },
      { role: 'user', content: 'Well?' },
    ],
  })
})

t.test('a later system message becomes part of the user message, behind the results of its calls', async t => {
  const { upstream, gateway } = await setUp(t, { answer: streaming(whole) })
  const call = { type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'hello' }
  await ask(gateway, {
    ...question,
    system: 'You are an agent.',
    messages: [
      { role: 'user', content: 'Read it.' },
      { role: 'assistant', content: [call] },
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [result] },
    ],
  })
  const sent = upstream.chats[0]?.body
  t.equal(sent?.['system'], 'You are an agent.')
  t.match(sent?.['messages'], [
    { role: 'user' },
    { role: 'assistant' },
    { role: 'user', content: [result, { type: 'text', text: /Be brief/ }] },
  ])
})

t.test('max_tokens is lowered to the model’s context', async t => {
  const { upstream, gateway } = await setUp(t, {
    models: [{ name: 'scripted', contextTokens: 4000 }],
    answer: streaming(whole),
  })
  const reply = await ask(gateway, { ...question, max_tokens: 32_000 })
  t.ok(Number(upstream.chats[0]?.body['max_tokens']) < 4000)
  t.match(reply.headers['x-signalbox-notes'], /max_tokens lowered from 32000/)
})

t.test('a failure before the first token falls back to a server that needs translation', async t => {
  const failing: readonly Answer[] = [
    { error: { status: 529, message: 'overloaded' } },
    streaming(start + frame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })),
    streaming(start + opening),
  ]
  for (const answer of failing) {
    const local = await scriptedUpstream(t, 'llama-cpp', { models: ['other'], answer: { text: ['From ', 'here.'] } })
    const { upstream, gateway } = await setUp(t, { answer }, variablesFor(local))
    const both = { ...question, model: 'native/scripted' }
    const routed = await ask(gateway, { ...both, model: 'auto' })
    t.equal(routed.status, 200)
    t.match(routed.text, /From /)
    t.strictSame([upstream.chats.length, local.chats.length], [1, 1])
    t.equal(routed.events.filter(event => event.type === 'message_start').length, 1)
    t.notMatch(routed.text, /msg_its_own/)
    local.script.answer = { error: { status: 500, message: 'broken' } }
    const other = await setUp(t, { answer: streaming(whole) }, { ...variablesFor(local), DEFAULT_LOCAL_MODEL: 'other' })
    const back = await ask(other.gateway, { ...both, model: 'auto' })
    t.match(back.text, /msg_its_own/)
    t.strictSame([other.upstream.chats.length, local.chats.length], [1, 2])
  }
})

t.test('a failure mid-stream is the error event of Messages', async t => {
  const failure = frame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })
  for (const rest of [failure, '']) {
    const { gateway } = await setUp(t, { answer: streaming([start + opening + says('Half an'), rest]) })
    const reply = await ask(gateway, question)
    t.match(reply.text, /Half an/)
    t.match(reply.events.at(-1), { type: 'error', error: { type: 'api_error', message: /./ } })
    t.match(await gateway.core.ledger.recent(1), [{ outcome: 'error' }])
  }
})

t.test('a disconnect mid-stream frees the server', async t => {
  const { upstream, gateway } = await setUp(t, { answer: { text: ['one', 'two'], endless: true } })
  const leave = new AbortController()
  const { body } = await send(`${gateway.url}/v1/messages`, {
    method: 'POST',
    body: JSON.stringify(question),
    signal: leave.signal,
  })
  await t.rejects(async () => {
    for await (const bytes of body) if (String(bytes).includes('two')) leave.abort()
  })
  await upstream.untilHangUps(1)
})

t.test('a disconnect frees the server', async t => {
  const held = gate()
  t.teardown(held.open)
  const { upstream, gateway } = await setUp(t, {
    answer: { ...streaming(whole), hold: { before: 'headers', until: held.opened } },
  })
  const controller = new AbortController()
  const asked = exchange(`${gateway.url}/v1/messages`, {
    method: 'POST',
    body: JSON.stringify(question),
    signal: controller.signal,
  })
  await upstream.untilChats(1)
  controller.abort()
  await t.rejects(asked)
  await upstream.untilHangUps(1)
})

t.test('the Anthropic package reads a passed-through stream', async t => {
  const { upstream, gateway } = await setUp(t, { answer: streaming(whole) })
  const client = new Anthropic({ baseURL: gateway.url, apiKey: 'none', maxRetries: 0 })
  const asked = { model: 'native/scripted', max_tokens: 9, messages: [{ role: 'user' as const, content: 'Hi' }] }
  const message = await client.messages.stream(asked).finalMessage()
  t.match(message, { id: 'msg_its_own', model: 'native/scripted', stop_reason: 'end_turn' })
  t.match(message.content, [{ type: 'text', text: 'Grüß "type":"error"' }])
  upstream.script.answer = { error: { status: 400, message: 'not so' } }
  t.ok((await failureOf(client.messages.create(asked))) instanceof Anthropic.BadRequestError)
})

t.test('OpenRouter gets Messages for Anthropic’s models and chat completions for the others', async t => {
  const upstream = await scriptedUpstream(t, 'openrouter', { models: ['anthropic/claude-x', 'other/model'] })
  const gateway = await startGateway(t, variablesFor(upstream))
  upstream.script.answer = ({ path }) => (path.endsWith('/messages') ? streaming(whole) : { text: 'Translated.' })
  t.match((await ask(gateway, { ...question, model: 'anthropic/claude-x' })).text, /msg_its_own/)
  t.match((await ask(gateway, { ...question, model: 'other/model' })).text, /Translated\./)
  t.strictSame(
    upstream.chats.map(({ path }) => path),
    ['/api/v1/messages', '/api/v1/chat/completions'],
  )
  t.equal(upstream.chats[0]?.headers.authorization, 'Bearer test-key')
})

t.test('reasoning that the client dropped is restored, which only the translation does', async t => {
  const block = (index: number, content: object, delta: object) =>
    frame({ type: 'content_block_start', index, content_block: content }) +
    frame({ type: 'content_block_delta', index, delta }) +
    frame({ type: 'content_block_stop', index })
  const thinks = block(0, { type: 'thinking', thinking: '' }, { type: 'thinking_delta', thinking: 'I look.' })
  const calls = block(
    1,
    { type: 'tool_use', id: 'toolu_7', name: 'look', input: {} },
    { type: 'input_json_delta', partial_json: '{"at":"it"}' },
  )
  const ends = frame({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } })
  const { upstream, gateway } = await setUp(t, {
    answer: [streaming(start + thinks + calls + ends + frame({ type: 'message_stop' })), { text: 'Seen.' }],
  })
  const tools = [{ name: 'look', input_schema: { type: 'object' } }]
  await ask(gateway, { ...question, tools })
  const messages = [
    ...question.messages,
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_7', name: 'look', input: { at: 'it' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_7', content: 'a door' }] },
  ]
  t.match((await ask(gateway, { ...question, tools, messages })).text, /Seen\./)
  t.strictSame(
    upstream.chats.map(({ path }) => path),
    ['/v1/messages', '/v1/chat/completions'],
  )
  t.match(upstream.chats[1]?.body['messages'], [{}, { reasoning_content: 'I look.' }, {}])
})

t.test("Anthropic's own API gets its key in x-api-key", async t => {
  const asked: { url: string; headers: Record<string, string> | undefined }[] = []
  const transport = {
    send({ url, headers }: { url: string; headers?: Record<string, string> }) {
      asked.push({ url, headers })
      return Promise.reject(new GatewayError('upstream_unavailable', 'not here'))
    },
    close: () => Promise.resolve(),
  }
  const url = 'https://api.anthropic.com/v1'
  const provider = openAiCompatible.create({
    endpoint: { kind: 'openai-compatible', name: 'anthropic', url, named: true, apiKey: 'a-secret' },
    transport,
    prices: { at: () => undefined },
    now: () => 0,
  })
  t.teardown(() => provider.close())
  await provider.refresh(new AbortController().signal)
  t.equal(asked[0]?.url, `${url}/models`)
  t.strictSame(asked[0]?.headers, { 'x-api-key': 'a-secret', 'anthropic-version': '2023-06-01' })
})
