import t, { type Test } from 'tap'
import { type Answer, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, type TestGateway, variablesFor } from '../helpers/start-gateway.ts'

const remoteModels = ['a', 'b', 'c', 'd', 'e', 'f'].map(name => ({ name: `open/${name}:free` }))
const refused = (status: number, message = 'no'): Answer => ({ error: { status, message } })

/** A local server whose model is the second choice, behind six free ones of a remote provider that answers `answer`. */
async function withRemoteFirst(t: Test, answer: Answer) {
  const remote = await scriptedUpstream(t, 'openrouter', { models: remoteModels, answer })
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, variablesFor(remote, local))
  const models = [...remoteModels.map(({ name }) => `openrouter/${name}`), 'llama-cpp/scripted']
  return { remote, local, gateway, ask: () => gateway.ask({ model: models[0], models: models.slice(1) }) }
}

/** What `/health` says of one server. */
async function serverOf(gateway: TestGateway, wanted: string): Promise<unknown> {
  return (await gateway.get('/health')).json.providers.find(({ name }: { name: string }) => name === wanted)
}

t.test(
  'a dead key or an outage of one provider is survived by another, without five tries at the dead one',
  async t => {
    const answers: [string, Answer][] = [
      ...[401, 402, 403, 503].map((status): [string, Answer] => [String(status), refused(status)]),
      ['a reset', { breakBefore: 'headers' }],
    ]
    for (const [name, answer] of answers) {
      const { remote, local, ask } = await withRemoteFirst(t, answer)
      for (let request = 0; request < 6; request++) {
        const reply = await ask()
        t.equal(reply.status, 200, name)
        t.equal(reply.headers['x-signalbox-model'], 'llama-cpp/scripted', name)
      }
      t.equal(local.chats.length, 6, `${name}: the local model was asked each time`)
      t.ok(remote.chats.length <= 2, `${name}: ${remote.chats.length} requests went to the dead provider`)
    }
  },
)

t.test('connections that a server closed while they were idle cost no request and no outage', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const stale: Answer = { breakBefore: 'headers', hold: { before: 'headers', until: local.untilChats(4) } }
  local.script.answer = [stale, stale, stale, stale, {}]
  const gateway = await startGateway(t, { ...variablesFor(local), PROVIDER_MAX_CONCURRENT_LOCAL: '4' })
  const replies = await Promise.all([1, 2, 3, 4].map(() => gateway.ask()))
  t.strictSame(
    replies.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  t.match(await serverOf(gateway, 'llama-cpp'), { state: 'up' })
})

t.test('who cannot serve is shown as down, with the reason, and its models as unavailable', async t => {
  const { gateway, ask } = await withRemoteFirst(t, refused(401, 'User not found.'))
  const before = await gateway.get('/v1/models')
  t.match(
    before.json.data.find(({ id }: { id: string }) => id === 'openrouter/open/a:free'),
    {
      available: true,
      unavailable_reason: null,
    },
  )
  await ask()
  t.match(await serverOf(gateway, 'openrouter'), { state: 'down', reason: /rejected the API key.*User not found/ })
  t.match(await serverOf(gateway, 'llama-cpp'), { state: 'up', reason: null })
  const { data } = (await gateway.get('/v1/models')).json
  for (const { id, available, unavailable_reason: reason } of data) {
    if (id.startsWith('openrouter/'))
      t.match({ available, reason }, { available: false, reason: /rejected the API key/ }, id)
    if (id.startsWith('llama-cpp/')) t.match({ available, reason }, { available: true, reason: null }, id)
  }
})

t.test('with nobody else to ask, a dead key is one attempt and then an answer that says so', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', { models: remoteModels, answer: refused(402, 'no credits') })
  const gateway = await startGateway(t, variablesFor(remote))
  const first = await gateway.ask()
  t.match(first, { status: 402, json: { error: { type: 'insufficient_quota' } } })
  t.equal(remote.chats.length, 1)
  const second = await gateway.ask()
  t.match(second, { status: 503, json: { error: { message: /requires payment/ } } })
  t.ok(Number(second.headers['retry-after']) > 0, 'it says when to try again')
  t.equal(remote.chats.length, 1)
})

t.test('a failure of one model leaves the other models of its provider in service', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: remoteModels,
    answer: ({ body }) => (body.model === 'open/a:free' ? refused(404, 'gone') : {}),
  })
  const gateway = await startGateway(t, variablesFor(remote))
  const reply = await gateway.ask({ model: 'openrouter/open/a:free', models: ['openrouter/open/b:free'] })
  t.equal(reply.headers['x-signalbox-model'], 'openrouter/open/b:free')
  t.match(await serverOf(gateway, 'openrouter'), { state: 'up' })
})

t.test('the limit of all free models is not met once for each of them', async t => {
  const { remote, ask } = await withRemoteFirst(t, refused(429, 'Rate limit exceeded: free-models-per-day'))
  t.equal((await ask()).headers['x-signalbox-model'], 'llama-cpp/scripted')
  t.equal(remote.chats.length, 1)
})

t.test(
  'when every model of the first provider fails in its own way, the last attempt goes to another provider',
  async t => {
    const { remote, ask } = await withRemoteFirst(t, refused(500))
    const reply = await ask()
    t.equal(reply.status, 200)
    t.equal(reply.headers['x-signalbox-model'], 'llama-cpp/scripted')
    t.equal(remote.chats.length, 4)
  },
)

t.test('what a moderator says of one request takes nobody out of service', async t => {
  const { gateway, ask } = await withRemoteFirst(t, {
    error: { status: 403, message: 'Your input was flagged', fields: { metadata: { reasons: ['violence'] } } },
  })
  t.equal((await ask()).headers['x-signalbox-model'], 'llama-cpp/scripted')
  t.match(await serverOf(gateway, 'openrouter'), { state: 'up' })
})

t.test('a Retry-After of years is taken for an hour', async t => {
  for (const value of ['1e300', '99999999999', 'Fri, 01 Jan 2999 00:00:00 GMT']) {
    const remote = await scriptedUpstream(t, 'openrouter', {
      models: remoteModels.slice(0, 1),
      answer: { ...refused(429), headers: { 'retry-after': value } },
    })
    const gateway = await startGateway(t, variablesFor(remote))
    t.equal((await gateway.ask()).headers['retry-after'], '3600', value)
  }
})
