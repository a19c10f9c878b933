import { readFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { createLog } from '../../src/start.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { callerOf, createKey } from '../helpers/callers.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

const adminKey = 'r-key'

t.test('a key that was created is accepted, and its requests are its own', async t => {
  const { as, create } = await setUp(t)
  const { token, key } = await create({ name: 'alice', owner: 'Alice' })
  t.match(token, /^signalbox_[\w-]{43}$/)
  t.match(key, { name: 'alice', owner: 'Alice', state: 'active', scopes: ['inference', 'read'], models: null })
  t.equal((await as(token).ask()).status, 200)
  t.match((await as(token).get('/v1/usage?group_by=key')).json, { rows: [{ group: { key: 'alice' }, requests: 1 }] })
  t.equal((await as(token.slice(0, -1)).ask()).status, 401)
  t.equal((await as(`${token}x`).ask()).status, 401)
})

t.test('a token is shown once and kept nowhere: not in the ledger, not in the list, not in the log', async t => {
  const lines: string[] = []
  const { gateway, as, create, admin } = await setUp(
    t,
    {},
    { log: createLog('trace', { write: line => void lines.push(line) }) },
  )
  const { token } = await create({ name: 'alice' })
  await as(token).ask()
  await as(token).ask({ model: 'no/such' })
  await gateway.core.ledger.flush()
  const { json } = await admin.get('/api/keys')
  t.match(json, { total: 1, keys: [{ name: 'alice' }] })
  const folder = path.dirname(gateway.core.ledger.status().file)
  const files = ['ledger.db', 'ledger.db-wal'].map(name => readFileSync(path.join(folder, name), 'latin1')).join('')
  for (const [what, text] of Object.entries({ list: JSON.stringify(json), ledger: files, log: lines.join('') })) {
    t.notOk(text.includes(token.slice('signalbox_'.length)), `not in the ${what}`)
  }
})

t.test('with the first key, callers without one are refused, and stay so when it is revoked', async t => {
  const { gateway, as, admin } = await setUp(t, { SIGNALBOX_ADMIN_KEY: '' })
  t.equal((await gateway.ask()).status, 200)
  const { token } = (await gateway.post('/api/keys', { name: 'root', scopes: ['admin'] })).json as { token: string }
  t.equal((await gateway.ask()).status, 401)
  t.equal((await admin.ask()).status, 401)
  t.match((await as(token).delete('/api/keys/root')).json, { key: { state: 'revoked' } })
  t.match(await as(token).ask(), { status: 401, json: { error: { message: /'root' was revoked/ } } })
  t.equal((await gateway.ask()).status, 401)
})

t.test('a revoked or expired key is refused at once, in the protocol of the caller', async t => {
  let nowMs = Date.parse('2026-03-01T00:00:00Z')
  const { as, create, admin } = await setUp(t, {}, { now: () => nowMs })
  const soon = await create({ name: 'soon', expires_at: '2026-03-02T00:00:00Z' })
  const revoked = await create({ name: 'gone' })
  t.equal((await as(soon.token).ask()).status, 200)
  t.equal((await as(revoked.token).ask()).status, 200)
  t.match(await admin.delete('/api/keys/gone'), { status: 200 })
  nowMs = Date.parse('2026-03-02T00:00:00Z')
  t.match(await as(soon.token).ask(), { status: 401, json: { error: { message: /expired on 2026-03-02/ } } })
  const body = { model: 'auto', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }
  t.match(await as(revoked.token).post('/v1/messages', body), {
    status: 401,
    json: { type: 'error', error: { type: 'authentication_error', message: /was revoked/ } },
  })
  t.match((await admin.get('/api/keys')).json, { keys: [{ state: 'expired' }, { state: 'revoked' }] })
})

t.test('a rotated key has a new token, and the previous one works for as long as was asked', async t => {
  let nowMs = Date.parse('2026-03-01T00:00:00Z')
  const { as, create, admin } = await setUp(t, {}, { now: () => nowMs })
  const first = (await create({ name: 'alice' })).token
  const rotate = async (grace: number) => {
    const { json } = await admin.post('/api/keys/alice/rotate', { grace_seconds: grace })
    return (json as { token: string }).token
  }
  const second = await rotate(60)
  t.equal((await as(first).ask()).status, 200)
  t.equal((await as(second).ask()).status, 200)
  nowMs += 60_000
  t.match(await as(first).ask(), { status: 401, json: { error: { message: /replaced by a newer one/ } } })
  const third = await rotate(0)
  t.equal((await as(second).ask()).status, 401)
  t.equal((await as(third).ask()).status, 200)
})

t.test('keys outlive a restart', async t => {
  const folder = t.testdir()
  const first = await setUp(t, { DATA_DIR: folder })
  const kept = await first.create({ name: 'kept' })
  const revoked = await first.create({ name: 'revoked' })
  await first.admin.delete('/api/keys/revoked')
  await first.gateway.close(0)
  const second = await setUp(t, { DATA_DIR: folder })
  t.equal((await second.as(kept.token).ask()).status, 200)
  t.match(await second.as(revoked.token).ask(), { status: 401, json: { error: { message: /was revoked/ } } })
})

t.test('a name is given once: its requests must not become another caller’s', async t => {
  const { create, admin } = await setUp(t, { SIGNALBOX_API_KEY: 'bob=b-key' })
  await create({ name: 'alice' })
  await admin.delete('/api/keys/alice')
  for (const name of ['alice', 'bob', 'root', 'anonymous', 'local']) {
    t.match(await admin.post('/api/keys', { name }), { status: 409, json: { error: { param: 'name' } } }, name)
  }
})

t.test('a key does what its scopes say and nothing else', async t => {
  const { as, create } = await setUp(t)
  const asking = { task: 'Say hi.', context_length: 0 }
  const expected: Record<string, Record<string, number>> = {
    inference: { ask: 200, models: 200, usage: 403, status: 403, route_task: 200, admin: 403 },
    read: { ask: 403, models: 200, usage: 200, status: 200, route_task: 403, admin: 403 },
    admin: { ask: 200, models: 200, usage: 200, status: 200, route_task: 200, admin: 200 },
  }
  for (const [scope, statuses] of Object.entries(expected)) {
    const caller = as((await create({ name: scope, scopes: [scope] })).token)
    const found = {
      ask: (await caller.ask()).status,
      models: (await caller.get('/v1/models')).status,
      usage: (await caller.get('/v1/usage')).status,
      status: (await caller.post('/admin/status', {})).status,
      route_task: (await caller.post('/api/tasks', asking)).status,
      admin: (await caller.get('/api/keys')).status,
    }
    t.same(found, statuses, scope)
  }
})

t.test('a key uses the models it may use, on every path, and is shown no others', async t => {
  const { as, create } = await setUp(t)
  const { token } = await create({ name: 'alice', models: ['local/s*', 'small'], providers: ['llama-cpp'] })
  const alice = as(token)
  t.match(await alice.ask({ model: 'auto' }), { status: 200, headers: { 'x-signalbox-model': 'llama-cpp/small' } })
  const refused = { status: 403, json: { error: { code: 'forbidden', param: 'model', message: /may not use/ } } }
  t.match(await alice.ask({ model: 'llama-cpp/large' }), refused)
  t.match(await alice.ask({ model: 'openrouter/lab/paid' }), refused)
  t.match(await alice.post('/v1/embeddings', { model: 'llama-cpp/large', input: 'Hi' }), refused)
  const ids = (list: { id: string }[]) => list.map(({ id }) => id).filter(id => id.includes('/'))
  t.same(ids((await alice.get('/v1/models')).json.data), ['llama-cpp/small'])
  t.notMatch((await alice.get('/api/tags')).text, /large|paid/)
  t.notMatch((await alice.get('/v1beta/models')).text, /large|paid/)
  t.equal((await alice.get('/v1/models/llama-cpp/large')).status, 404)
  const { json: task } = await alice.post('/api/tasks', { task: 'Say hi.', context_length: 0 })
  t.match((await alice.get(`/api/tasks/${task.task_id}?wait_seconds=20`)).json, {
    result: { model: 'llama-cpp/small' },
  })
})

t.test(
  'a key with its own key at a provider uses that one and no other, and its trouble is not that of others',
  async t => {
    const { as, create, admin, remote } = await setUp(t, { ALICE_OPENROUTER_KEY: 'alice-has-her-own' })
    const model = 'openrouter/lab/paid'
    const upstream_keys = { openrouter: 'ALICE_OPENROUTER_KEY' }
    const alice = as((await create({ name: 'alice', upstream_keys })).token)
    const bob = as((await create({ name: 'bob', upstream_keys: { openrouter: 'NOT_SET' } })).token)
    const usedBy = async (caller: typeof alice, body: object = {}) => {
      const { status } = await caller.ask({ model, ...body })
      return [status, remote.chats.at(-1)?.headers.authorization]
    }
    for (const stream of [true, false]) t.same(await usedBy(alice, { stream }), [200, 'Bearer alice-has-her-own'])
    t.same(await usedBy(admin), [200, 'Bearer test-key'])
    const before = remote.chats.length
    t.match(await bob.ask({ model }), { status: 502, json: { error: { message: /'bob' .* NOT_SET is not set/ } } })
    t.equal(remote.chats.length, before, 'the operator’s key is no substitute')
    t.same(await usedBy(admin), [200, 'Bearer test-key'], 'the provider is there for the others')
    remote.script = {
      ...remote.script,
      answer: ({ headers }) =>
        headers.authorization === 'Bearer test-key'
          ? { text: 'Hi.' }
          : { error: { status: 401, message: `No such key: ${headers.authorization}` } },
    }
    const refused = await alice.ask({ model })
    t.match(refused, { status: 502, json: { error: { message: /check ALICE_OPENROUTER_KEY/ } } })
    t.notMatch(refused.text, /alice-has-her-own/)
    t.same(await usedBy(admin), [200, 'Bearer test-key'], 'and still is')
    t.notMatch((await admin.get('/api/keys')).text, /alice-has-her-own/)
  },
)

async function setUp(
  t: Test,
  variables: Record<string, string> = {},
  options: Parameters<typeof startGateway>[3] = {},
) {
  const local = await scriptedUpstream(t, 'llama-cpp', { models: ['large', 'small'] })
  const remote = await scriptedUpstream(t, 'openrouter', {
    models: [{ name: 'lab/paid', price: { input: 1, output: 2 } }],
  })
  const settings = { ...variablesFor(local, remote), SIGNALBOX_ADMIN_KEY: `root=${adminKey}`, ...variables }
  const used = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ''))
  const gateway = await startGateway(t, used, [], options)
  const as = (token: string) => callerOf(gateway, token)
  const admin = as(adminKey)
  return { gateway, remote, as, admin, create: (input: object) => createKey(t, admin, input) }
}
