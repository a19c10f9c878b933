import OpenAI from 'openai'
import { ResponsesWS } from 'openai/resources/responses/ws'
import t, { type Test } from 'tap'
import { WebSocket } from 'undici'
import { gate, scriptedUpstream, type Script } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

// eslint-disable-next-line typescript/no-explicit-any
type Event = any

t.test('a response over a WebSocket has the events of a stream, and a row in the ledger', async t => {
  const { local, gateway, connect } = await setUp(t, { answer: { text: ['Hel', 'lo.'] } })
  const socket = await connect()
  const events = await socket.ask({ input: 'Hi' })
  t.same(
    events.map(({ type }) => type as string),
    [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ],
  )
  t.match(events.at(-1), { response: { status: 'completed', output: [{ content: [{ text: 'Hello.' }] }] } })
  t.match(events[0].headers, { 'x-signalbox-model': 'llama-cpp/scripted' }, 'what an HTTP response has as headers')
  t.match(local.chats[0]?.body, { messages: [{ role: 'user', content: 'Hi' }] })
  await gateway.core.gateway.idle()
  const usage = await gateway.get('/v1/usage')
  t.match(usage.json, { totals: { requests: 1 } }, usage.text)
})

t.test('with store false the next request on the same connection continues from its new input alone', async t => {
  const { local, connect } = await setUp(t, { answer: [{ text: 'I am Ada.' }, { text: 'Ada.' }] })
  const [socket, other] = [await connect(), await connect()]
  const first = idOf(await socket.ask({ input: 'Who are you?', store: false }))
  const elsewhere = await other.ask({ input: 'Again?', previous_response_id: first, store: false })
  t.match(elsewhere, [{ type: 'error', status: 400, error: { code: 'previous_response_not_found' } }])
  await socket.ask({ input: 'Again?', previous_response_id: first, store: false })
  t.match(local.chats[1]?.body, {
    messages: [
      { role: 'user', content: 'Who are you?' },
      { role: 'assistant', content: 'I am Ada.' },
      { role: 'user', content: 'Again?' },
    ],
  })
  t.equal(local.chats.length, 2)
})

t.test('what a closed connection had not stored is gone, and what it stored is not', async t => {
  const { connect, gateway } = await setUp(t)
  const socket = await connect()
  const unstored = idOf(await socket.ask({ input: 'Hi', store: false }))
  const stored = idOf(await socket.ask({ input: 'Hi' }))
  t.equal((await gateway.get(`/v1/responses/${unstored}`)).status, 404)
  await socket.close()
  t.equal((await gateway.get(`/v1/responses/${stored}`)).status, 200)
  const next = await connect()
  t.match(await next.ask({ input: 'And?', previous_response_id: unstored }), [{ type: 'error', status: 400 }])
  t.match((await next.ask({ input: 'And?', previous_response_id: stored })).at(-1), { type: 'response.completed' })
})

t.test('what one key was answered, no connection of another key continues', async t => {
  const { connect, gateway } = await setUp(t, {}, { SIGNALBOX_API_KEY: 'alice=a-key,bob=b-key' })
  const [alice, bob] = [await connect('a-key'), await connect('b-key')]
  for (const store of [true, false]) {
    const id = idOf(await alice.ask({ input: 'My secret is 4711.', store }))
    t.match(await bob.ask({ input: 'And?', previous_response_id: id }), [
      { type: 'error', error: { code: 'previous_response_not_found' } },
    ])
    t.match((await alice.ask({ input: 'And?', previous_response_id: id })).at(-1), { type: 'response.completed' })
  }
  await gateway.core.gateway.idle()
})

t.test('generate false calls no model, and the next request continues from its input', async t => {
  const { local, connect } = await setUp(t)
  const socket = await connect()
  const prepared = await socket.ask({ input: 'You are Ada.', store: false, generate: false })
  t.match(prepared.at(-1), { type: 'response.completed', response: { status: 'completed', output: [] } })
  t.equal(local.chats.length, 0)
  await socket.ask({ input: 'Who are you?', store: false, previous_response_id: idOf(prepared) })
  t.match(local.chats[0]?.body, {
    messages: [
      { role: 'user', content: 'You are Ada.' },
      { role: 'user', content: 'Who are you?' },
    ],
  })
})

t.test('requests sent at once are answered one after the other, and those of other streams meanwhile', async t => {
  const held = gate()
  const { local, connect } = await setUp(
    t,
    { answer: ({ body }) => (isAbout(body, 'first') ? { hold: { before: 0, until: held.opened } } : {}) },
    { PROVIDER_MAX_CONCURRENT_LOCAL: '2' },
  )
  const socket = await connect()
  socket.send({ type: 'response.create', model: 'auto', input: 'first', stream_id: 'a' })
  await local.untilChats(1)
  socket.send({ type: 'response.create', model: 'auto', input: 'second', stream_id: 'a' })
  const events = await socket.ask({ input: 'third', stream_id: 'b' })
  t.same([...new Set(events.map(({ stream_id }) => stream_id as string))], ['b'])
  t.equal(local.chats.length, 2, 'the second of the first stream waits')
  held.open()
  t.match((await socket.untilEnd()).at(-1), { type: 'response.completed', stream_id: 'a' })
  t.match((await socket.untilEnd()).at(-1), { type: 'response.completed', stream_id: 'a' })
  t.match(local.chats[2]?.body, { messages: [{ content: 'second' }] })
})

t.test('a client that leaves in the middle of an answer ends the call to the model', async t => {
  const { local, gateway, connect } = await setUp(t, { answer: { text: 'on and on ', endless: true } })
  const socket = await connect()
  socket.send({ type: 'response.create', model: 'auto', input: 'Talk.' })
  await local.untilChats(1)
  await socket.next()
  await socket.close()
  await local.untilHangUps(1)
  await gateway.core.gateway.idle()
  t.equal(local.hangUps, 1)
})

t.test('a message that is no request is answered with an error, and the connection goes on', async t => {
  const { connect } = await setUp(t)
  const socket = await connect()
  for (const [message, expected] of [
    ['{', { status: 400, error: { code: 'invalid_json' } }],
    ['[1]', { status: 400, error: { code: 'invalid_request' } }],
    ['{"type":"session.update"}', { status: 400, error: { param: 'type', message: /session\.update/ } }],
    ['{"type":"response.create","input":7}', { status: 400, error: { param: 'input' } }],
    ['{"type":"response.create","input":"Hi","model":"none"}', { status: 404, error: { code: 'model_not_found' } }],
    [`{"type":"response.create","input":${'['.repeat(600)}${']'.repeat(600)}}`, { error: { message: /512 levels/ } }],
    ['{"type":"response.create","input":"Hi","stream_id":""}', { error: { param: 'stream_id' } }],
  ] as const) {
    socket.sendText(message)
    t.match(await socket.next(), { type: 'error', ...expected }, message.slice(0, 60))
  }
  socket.sendText(Buffer.from('{"type":"response.create","input":"Hi"}'))
  t.match(await socket.next(), { type: 'error', error: { message: /text messages/ } })
  socket.send({ type: 'response.processed', response_id: 'resp_1' })
  socket.send({ type: 'response.steer', previous_response_id: 'resp_1', input: 'Faster.' })
  t.match(await socket.next(), {
    type: 'response.steer.failed',
    error: { code: 'steering_not_supported' },
    steer: { input: 'Faster.' },
  })
  t.match((await socket.ask({ input: 'Hi' })).at(-1), { type: 'response.completed' })
})

t.test('a failure in the middle of an answer ends it as response.failed, and the connection goes on', async t => {
  const { connect } = await setUp(t, {
    answer: [{ text: ['One', ' two', ' three'], breakBefore: 2 }, { text: 'Fine.' }],
  })
  const socket = await connect()
  t.match((await socket.ask({ input: 'Count.' })).at(-1), {
    type: 'response.failed',
    response: { error: { code: 'server_error' } },
  })
  t.match((await socket.ask({ input: 'Again.' })).at(-1), { type: 'response.completed' })
})

t.test('the seventeenth request in progress on one connection is refused', async t => {
  const held = gate()
  const { connect, local } = await setUp(t, { answer: { hold: { before: 0, until: held.opened } } })
  const socket = await connect()
  for (let index = 0; index < 17; index++) socket.send({ type: 'response.create', model: 'auto', input: String(index) })
  t.match(await socket.next(), { type: 'error', status: 503, error: { code: 'queue_full' } })
  held.open()
  for (let index = 0; index < 16; index++) t.match((await socket.untilEnd()).at(-1), { type: 'response.completed' })
  t.equal(local.chats.length, 16)
})

t.test('a message of more than 32 MB ends its connection, and others go on', async t => {
  const { connect } = await setUp(t)
  const [large, other] = [await connect(), await connect()]
  large.sendText('x'.repeat(33 * 1024 * 1024))
  await large.closed
  t.match((await other.ask({ input: 'Hi' })).at(-1), { type: 'response.completed' })
})

t.test('a connection needs a key where there are any, and comes from no web page', async t => {
  const { url } = await setUp(t, {}, { SIGNALBOX_API_KEY: 'secret-key' }).then(({ gateway }) => gateway)
  const key = { authorization: 'Bearer secret-key' }
  const outcome = (headers: Record<string, string>) =>
    new Promise<string>(resolve => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`, { headers })
      socket.addEventListener('open', () => {
        resolve('open')
        socket.close()
      })
      socket.addEventListener('error', () => resolve('refused'))
    })
  t.equal(await outcome({}), 'refused')
  t.equal(await outcome({ ...key, origin: 'https://evil.example' }), 'refused')
  t.equal(await outcome(key), 'open')
})

t.test('a request on a connection without an upgrade gets the methods of its path', async t => {
  const { gateway } = await setUp(t)
  for (const method of ['GET', 'HEAD'] as const) {
    const reply = await exchange(`${gateway.url}/v1/responses`, { method })
    t.equal(reply.status, 405, method)
    t.equal(reply.headers['allow'], 'POST', method)
  }
})

t.test('an open connection does not keep Signalbox from closing', async t => {
  const { connect, gateway, local } = await setUp(t)
  const socket = await connect()
  await socket.ask({ input: 'Hi' })
  const held = gate()
  local.script = { answer: { text: ['One', 'Two'], hold: { before: 1, until: held.opened } } }
  socket.send({ type: 'response.create', model: 'auto', input: 'Count.' })
  await local.untilChats(2)
  const closing = gateway.close(5_000)
  held.open()
  t.match((await socket.untilEnd()).at(-1), { type: 'response.completed' }, 'what is in progress is finished')
  await closing
  await socket.closed
  t.equal(gateway.core.gateway.active(), 0)
})

t.test('OpenAI’s own client gets its answers over a WebSocket, one after the other', async t => {
  const { gateway, local } = await setUp(t, { answer: [{ text: 'I am Ada.' }, { text: 'Ada.' }] })
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const socket = new ResponsesWS(client)
  t.teardown(() => socket.close())
  const texts: string[] = []
  for await (const event of socket.stream()) {
    if (event.type === 'open')
      socket.send({ type: 'response.create', model: 'auto', input: 'Who are you?', store: false })
    if (event.type === 'error') throw event.error
    if (event.type !== 'message' || event.message.type !== 'response.completed') continue
    const { id, output } = event.message.response
    texts.push(JSON.stringify(output))
    if (texts.length === 2) break
    socket.send({ type: 'response.create', model: 'auto', input: 'Again?', previous_response_id: id, store: false })
  }
  t.match(texts, [/I am Ada\./, /Ada\./])
  t.match(local.chats[1]?.body['messages'], [{}, {}, { content: 'Again?' }])
})

async function setUp(t: Test, script: Script = {}, variables: Record<string, string> = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp', script)
  const gateway = await startGateway(t, { ...variablesFor(local), ...variables })
  return { local, gateway, connect: (key = 'none') => connect(t, gateway.url, key) }
}

/** A client as Codex is one: it sends text messages and reads until an answer is complete. */
async function connect(t: Test, url: string, key: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`, {
    headers: { 'openai-beta': 'responses_websockets=2026-02-06', authorization: `Bearer ${key}` },
  })
  t.teardown(() => socket.close())
  const heard: Event[] = []
  let wake = () => {}
  socket.addEventListener('message', ({ data }) => {
    heard.push(JSON.parse(String(data)))
    wake()
  })
  const closed = new Promise<void>(resolve => {
    socket.addEventListener('close', () => resolve())
    socket.addEventListener('error', () => resolve())
  })
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error('no connection')))
  })
  const next = async (): Promise<Event> => {
    while (heard.length === 0) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    return heard.shift()
  }
  const untilEnd = async (): Promise<Event[]> => {
    const events: Event[] = []
    do events.push(await next())
    while (!/^error$|^response\.(completed|failed|incomplete)$/.test(String(events.at(-1).type)))
    return events
  }
  const send = (event: object) => socket.send(JSON.stringify(event))
  return {
    next,
    untilEnd,
    send,
    sendText: (text: string | Buffer) => socket.send(text),
    /** Sends a request and reads its answer. */
    ask: (fields: object) => {
      send({ type: 'response.create', model: 'auto', stream: true, ...fields })
      return untilEnd()
    },
    closed,
    close: async () => {
      socket.close()
      await closed
    },
  }
}

function idOf(events: Event[]): string {
  return events.at(-1).response.id as string
}

function isAbout(body: Readonly<Record<string, unknown>>, text: string): boolean {
  return JSON.stringify(body['messages']).includes(text)
}
