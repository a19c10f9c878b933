import t from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { followCore, NotYet, type Connection } from '../../src/mcp/follow.ts'
import type { Client } from '../../src/operations/client.ts'
import { ConnectionLost } from '../../src/operations/http-client.ts'

t.test('a read call that loses its core is repeated on the next one', async t => {
  const { following, made } = start([lost(true), async () => ({ from: 'second' })])
  t.same(await following.client.call('status'), { from: 'second' })
  t.equal(made(), 2)
})

t.test('a call that may have cost money is not repeated, and its error says where to look', async t => {
  const { following, made } = start([lost(true), async () => ({ from: 'second' })])
  await t.rejects(following.client.call('route_task'), { code: 'upstream_disconnected', message: /check list_tasks/ })
  t.same(await following.client.call('status'), { from: 'second' })
  t.equal(made(), 2)
})

t.test('a paid call that certainly never arrived is repeated', async t => {
  const { following } = start([lost(false), async () => ({ from: 'second' })])
  t.same(await following.client.call('route_task'), { from: 'second' })
})

t.test('a core that is shutting down is left for the next', async t => {
  const refuse = () => Promise.reject(new GatewayError('shutting_down', 'Going.'))
  const { following } = start([refuse, async () => ({ from: 'second' })])
  t.same(await following.client.call('route_task'), { from: 'second' })
})

t.test('an operation’s own error is returned unchanged, and the core is kept', async t => {
  const fail = () => Promise.reject(new GatewayError('upstream_unavailable', 'Ollama is down.'))
  const { following, made } = start([fail, async () => ({})])
  await t.rejects(following.client.call('status'), { message: 'Ollama is down.' })
  t.equal(made(), 1)
})

t.test('without a core for too long callers get an error, and the next call retries', async t => {
  let now = 0
  let tries = 0
  const following = followCore({
    connect: () => {
      tries += 1
      now += 600
      return Promise.reject(new NotYet('Another one is starting.'))
    },
    effectOf: () => 'read',
    patienceMs: 1000,
    now: () => now,
    onError: () => undefined,
  })
  await t.rejects(following.client.call('status'), { code: 'upstream_unavailable', message: /Another one is starting/ })
  const before = tries
  await t.rejects(following.client.call('status'), { code: 'upstream_unavailable' })
  t.ok(tries > before)
  await following.close()
})

t.test('a core that ends while idle is replaced at once', async t => {
  const gone = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  let made = 0
  const following = followCore({
    connect: () => {
      made += 1
      if (made === 2) second.resolve()
      return Promise.resolve({ ...connectionOf(async () => ({})), ...(made === 1 && { gone: gone.promise }) })
    },
    effectOf: () => 'read',
    patienceMs: 1000,
    now: () => 0,
    onError: () => undefined,
  })
  await following.start()
  gone.resolve()
  await second.promise
  t.equal(made, 2)
  await following.close()
})

/** Follows cores that answer as given, one after another. */
function start(cores: Client['call'][]) {
  let made = 0
  const following = followCore({
    connect: () => Promise.resolve(connectionOf(cores[made++]!)),
    effectOf: name => (name === 'route_task' ? 'spend' : 'read'),
    patienceMs: 1000,
    now: () => 0,
    onError: () => undefined,
  })
  return { following, made: () => made }
}

function connectionOf(call: Client['call']): Connection {
  return { client: { call }, url: '', gone: new Promise(() => undefined), close: () => Promise.resolve() }
}

function lost(begun: boolean): Client['call'] {
  return () =>
    Promise.reject(new GatewayError('upstream_unavailable', 'Gone.', { cause: new ConnectionLost(begun, undefined) }))
}
