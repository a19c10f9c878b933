import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { GatewayError } from '../../src/errors.ts'
import { inProcessClient, type Client } from '../../src/operations/client.ts'
import { ConnectionLost, httpClient } from '../../src/operations/http-client.ts'
import { registerOperations } from '../../src/operations/routes.ts'
import { readBodiesAsJson } from '../../src/proxy/body.ts'
import { createMemoryBudget } from '../../src/proxy/memory-budget.ts'
import { replyError } from '../../src/proxy/reply-error.ts'
import { openShop, shopOperations, type Shop } from './bare-operations.ts'

t.test('every operation answers the same in process and over HTTP, in success and in failure', async t => {
  const { inProcess, http } = await startShop(t)
  const calls: [string, unknown][] = [
    ['list_items', {}],
    ['list_items', { limit: 1 }],
    ['list_items', { limit: 'many' }],
    ['list_items', { limit: 0 }],
    ['list_items', { unheard_of: 1 }],
    ['list_items', undefined],
    ['buy_item', { id: 'pear' }],
    ['buy_item', { id: 'moon' }],
    ['buy_item', { id: 'sold_out' }],
    ['break_down', {}],
    ['forget_field', {}],
    ['no_such_operation', {}],
    ['../admin', {}],
  ]
  for (const [name, input] of calls) {
    const [here, there] = await Promise.all([outcome(inProcess, name, input), outcome(http, name, input)])
    t.same(there, here, `${name} ${JSON.stringify(input)}`)
  }
})

t.test('an unexpected error reveals nothing to its caller', async t => {
  const { inProcess } = await startShop(t)
  await t.rejects(inProcess.call('break_down'), { code: 'internal', message: /see the Signalbox log/ })
})

t.test('a result has no undefined fields and shares no object', async t => {
  const { inProcess, shop } = await startShop(t)
  const first = await inProcess.call('list_items')
  ;(first['items'] as { id: string }[])[0]!.id = 'changed'
  t.same((await inProcess.call('list_items'))['items'], shop.items)
})

t.test('progress reaches the caller in process and over HTTP before the result', async t => {
  const { inProcess, http } = await startShop(t)
  for (const client of [inProcess, http]) {
    const steps: number[] = []
    await client.call('count_to', { number: 3 }, { progress: ({ progress }) => steps.push(progress) })
    t.same(steps, [1, 2, 3])
  }
})

t.test('cancelling a call over HTTP aborts the work in the instance', async t => {
  const { http, shop } = await startShop(t)
  const controller = new AbortController()
  const call = http.call('wait', {}, { signal: controller.signal })
  await shop.waiting
  controller.abort()
  await t.rejects(call, { code: 'client_closed' })
  await shop.aborted
})

t.test('a read-only caller can call only read operations', async t => {
  const { inProcess } = await startShop(t)
  const principal = { name: 'auditor', readOnly: true }
  t.ok(await inProcess.call('list_items', {}, { principal }))
  await t.rejects(inProcess.call('buy_item', { id: 'pear' }, { principal }), { code: 'forbidden' })
})

t.test('a request without the right token is rejected before anything runs', async t => {
  const { url, http } = await startShop(t, 'secret')
  await t.rejects(http.call('list_items'), { code: 'unauthorized' })
  t.ok(await httpClient({ url, token: 'secret' }).call('list_items'))
})

t.test('an unreachable instance is distinguished from a failed operation', async t => {
  const { url, http, app, shop } = await startShop(t)
  const waiting = http.call('wait')
  await shop.waiting
  app.server.closeAllConnections()
  const broken = await waiting.catch((error: unknown) => error as GatewayError)
  t.match(broken, { code: 'upstream_unavailable', cause: { begun: true } })
  await app.close()
  const absent = await httpClient({ url })
    .call('list_items')
    .catch((error: unknown) => error as GatewayError)
  t.match(absent, { code: 'upstream_unavailable', cause: { begun: false } })
  t.ok((absent as GatewayError).cause instanceof ConnectionLost)
})

t.test('an operation’s own path takes its input from path, query and body', async t => {
  const { app } = await startShop(t)
  t.same((await app.inject('/shop/items?limit=1')).json(), { items: [{ id: 'pear', price: 2 }] })
  t.same((await app.inject('/shop/items?cheap=true')).json(), { items: [{ id: 'fig', price: 1 }] })
  t.same((await app.inject({ method: 'POST', url: '/shop/items/pear', payload: { note: 'ripe' } })).json(), {
    id: 'pear',
    price: 2,
    note: 'ripe',
  })
  t.match((await app.inject('/shop/items?limit=lots')).json(), { error: { code: 'invalid_request', param: 'limit' } })
})

t.test('an error over HTTP has the status of the error table and a retry time', async t => {
  const { app } = await startShop(t)
  const ask = (payload: unknown, name = 'buy_item') =>
    app.inject({ method: 'POST', url: `/admin/${name}`, payload: payload as object })
  t.equal((await ask({ id: 'moon' })).statusCode, 404)
  const soldOut = await ask({ id: 'sold_out' })
  t.match(soldOut, { statusCode: 503, headers: { 'retry-after': '7' } })
  t.equal((await ask({}, 'break_down')).statusCode, 500)
  const headers = { 'content-type': 'application/json' }
  const broken = await app.inject({ method: 'POST', url: '/admin/list_items', headers, payload: '{"limit":' })
  t.match(broken.json(), { error: { code: 'invalid_json' } })
  t.equal((await app.inject({ method: 'POST', url: '/admin/list_items', headers })).statusCode, 200)
})

async function startShop(t: Test, token?: string) {
  const shop = openShop()
  const inProcess = inProcessClient(shopOperations, shop)
  const app = Fastify()
  readBodiesAsJson(app, createMemoryBudget(1e9))
  app.setErrorHandler(replyError)
  registerOperations(app, {
    operations: shopOperations,
    client: inProcess,
    authorize: request => {
      if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
        throw new GatewayError('unauthorized', 'This instance wants a token.')
      }
      return { name: 'tester' }
    },
  })
  const url = await app.listen({ port: 0 })
  t.teardown(() => app.close())
  return { app, shop, url, inProcess, http: httpClient({ url }) } satisfies { shop: Shop; [part: string]: unknown }
}

async function outcome(client: Client, name: string, input: unknown): Promise<unknown> {
  try {
    return await client.call(name, input)
  } catch (error) {
    const { code, message, param, retryAfterSeconds } = error as GatewayError
    return { code, message, param, retryAfterSeconds }
  }
}
