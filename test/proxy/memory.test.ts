import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, startGateway, variablesFor } from '../helpers/start-gateway.ts'

const megabyte = 1024 * 1024
const roomy = { name: 'scripted', contextTokens: 50_000_000, loadedContextTokens: 50_000_000 }

t.test('requests beyond REQUEST_MEMORY_MB are refused with 429 and Retry-After until others have ended', async t => {
  const held = gate()
  const local = await scriptedUpstream(t, 'llama-cpp', {
    models: [roomy],
    answer: { hold: { before: 'headers', until: held.opened } },
  })
  const gateway = await startGateway(t, { ...variablesFor(local), REQUEST_MEMORY_MB: '128' })
  const messages = [{ role: 'user', content: 'word '.repeat(4 * megabyte) }]
  const waiting = [gateway.ask({ messages }), gateway.ask({ messages })]
  await local.untilChats(1)
  while (gateway.core.gateway.active() < 2) await setImmediate()

  const refused = await gateway.ask({ messages })
  t.equal(refused.status, 429)
  t.equal(refused.headers['retry-after'], '5')
  t.match(refused.json.error, { code: 'memory_full', type: 'rate_limit_error', message: /REQUEST_MEMORY_MB/ })
  const message = await gateway.post('/v1/messages', { model: 'auto', max_tokens: 9, messages })
  t.match(message, { status: 429, json: { type: 'error', error: { type: 'rate_limit_error' } } })
  const small = gateway.ask()

  held.open()
  for (const { status } of await Promise.all([...waiting, small])) t.equal(status, 200)
  t.equal((await gateway.ask({ messages })).status, 200, 'and then there is memory again')
})

t.test(
  'a body that takes many times its length in memory is refused, and one sent in chunks is counted too',
  async t => {
    const local = await scriptedUpstream(t, 'llama-cpp', { models: [roomy] })
    const gateway = await startGateway(t, { ...variablesFor(local), REQUEST_MEMORY_MB: '128' })
    // As many values as a body may have, and a text of which one character makes each take two bytes.
    const tiny = `[${'[],'.repeat(140_000)}[]]`
    const wide = `ü${'x'.repeat(31 * megabyte)}`
    const body = `{"model":"auto","messages":[{"role":"user","content":"${wide}"}],"logit_bias":${tiny}}`
    const reply = await exchange(`${gateway.url}/v1/chat/completions`, { method: 'POST', body })
    t.match(reply, { status: 413, json: { error: { message: /would take \d+ MB of memory/ } } })

    const pieces = ReadableStream.from(Array.from({ length: 50 }, () => Buffer.alloc(megabyte, 0x20)))
    const chunked = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: pieces, duplex: 'half' })
    t.equal(chunked.status, 413)
    t.equal(local.chats.length, 0)
    t.equal((await gateway.ask()).status, 200)
  },
)

t.test('stored Responses are bounded by the memory that they take', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: [roomy] })
  const gateway = await startGateway(t, variablesFor(local))
  const ids: string[] = []
  for (let turn = 0; turn < 20; turn++) {
    const reply = await gateway.post('/v1/responses', { model: 'auto', input: `${turn} ${'word '.repeat(200_000)}` })
    ids.push(String(reply.json.id))
  }
  const kept = await Promise.all(ids.map(async id => (await gateway.get(`/v1/responses/${id}`)).status === 200))
  t.notOk(kept[0], 'the oldest made room')
  t.ok(kept.at(-1))
  const bytes = kept.filter(Boolean).length * megabyte
  t.ok(bytes > 10 * megabyte && bytes <= 16 * megabyte, `${bytes} bytes are kept`)
})

t.test('a server that answers while this process is busy is not called down', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(local))
  const held = gate()
  local.script.holdLists = held.opened
  const refreshed = gateway.core.inventory.refresh(new AbortController().signal)
  while (!local.requests.some(({ path }) => path.includes('models'))) await setImmediate()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_500)
  held.open()
  await refreshed
  t.match((await gateway.get('/health')).json.providers, [{ name: 'llama-cpp', state: 'up' }])
})
