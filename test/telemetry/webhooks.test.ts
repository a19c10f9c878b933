import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { createHub, type SignalboxEvent } from '../../src/events.ts'
import { createTransport } from '../../src/providers/http/transport.ts'
import { startWebhooks } from '../../src/telemetry/webhooks.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor, type Teardown } from '../helpers/start-gateway.ts'

interface Delivery {
  headers: IncomingHttpHeaders
  body: string
}

/** A receiver that answers with these statuses in turn, the last one for all further requests. */
async function startReceiver(t: Teardown, ...statuses: number[]) {
  const deliveries: Delivery[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      deliveries.push({ headers: request.headers, body })
      response.statusCode = statuses[Math.min(deliveries.length, statuses.length) - 1] ?? 200
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
  })
  const until = async (count: number) => {
    while (deliveries.length < count) await setTimeout(5)
    return deliveries
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, deliveries, until }
}

const secret = `whsec_${Buffer.from('a secret of thirty-two bytes.....').toString('base64')}`
const signed = (headers: IncomingHttpHeaders) => headers as Record<string, string>

t.test('a finished task is announced, signed as Standard Webhooks libraries verify it', async t => {
  const receiver = await startReceiver(t)
  const local = await scriptedUpstream(t, 'llama-cpp')
  const variables = { ...variablesFor(local), WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: secret }
  const gateway = await startGateway(t, variables)
  const { task_id: taskId } = (await gateway.post('/admin/route_task', { task: 'Say hello.', context_length: 0 })).json
  const [delivery] = await receiver.until(1)
  const event = new Webhook(secret).verify(delivery!.body, signed(delivery!.headers))
  t.match(event, { type: 'task.finished', data: { task_id: taskId, kind: 'route_task', state: 'completed' } })
  t.throws(() => new Webhook(secret).verify(delivery!.body.replace('completed', 'failed'), signed(delivery!.headers)))
})

t.test('a server that goes down and comes back is announced once each', async t => {
  const receiver = await startReceiver(t)
  const local = await scriptedUpstream(t, 'llama-cpp')
  const variables = {
    ...variablesFor(local),
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET: secret,
    PROVIDER_HEALTH_PROBE_INTERVAL_MS: '20',
  }
  await startGateway(t, variables)
  await local.stop()
  await receiver.until(1)
  await local.start()
  const [down, up] = (await receiver.until(2)).map(({ body }) => JSON.parse(body) as { type: string; data: object })
  t.match(down, { type: 'provider.down', data: { provider: 'llama-cpp', reason: /./ } })
  t.match(up, { type: 'provider.up', data: { provider: 'llama-cpp', models: 1 } })
})

t.test('without a secret, events are not sent at all: the start says what to set', async t => {
  await t.rejects(startGateway(t, { WEBHOOK_URL: 'http://127.0.0.1:9/hook' }), { message: /^WEBHOOK_SECRET: set it/ })
})

const finished: SignalboxEvent = { type: 'task.finished', taskId: 'task_1', kind: 'route_task', state: 'completed' }

function startTested(t: Teardown, url: string, retryMs: readonly number[]) {
  const warnings: object[] = []
  const events = createHub<SignalboxEvent>({ error: () => undefined })
  const transport = createTransport({ connectTimeoutMs: 1_000 })
  let count = 0
  const webhooks = startWebhooks({
    url,
    secret,
    events,
    transport,
    now: Date.now,
    random: () => 0,
    newId: () => `msg_${count++}`,
    log: { warn: (facts: unknown) => void warnings.push(facts as object) },
    retryMs,
  })
  t.teardown(async () => {
    await webhooks.close()
    await transport.close()
  })
  return { events, webhooks, warnings }
}

t.test('a receiver that fails is asked again with the same id until it accepts', async t => {
  const receiver = await startReceiver(t, 500, 503, 204)
  const { events, webhooks, warnings } = startTested(t, receiver.url, [5, 5, 5])
  events.emit(finished)
  const deliveries = await receiver.until(3)
  while (webhooks.pending() > 0) await setTimeout(5)
  t.equal(deliveries.length, 3)
  t.equal(new Set(deliveries.map(({ headers }) => headers['webhook-id'])).size, 1)
  t.same(warnings, [])
})

t.test('an event is given up after its last try, and at once where the receiver wants no more', async t => {
  const failing = await startReceiver(t, 500)
  const first = startTested(t, failing.url, [5, 5])
  first.events.emit(finished)
  while (first.webhooks.pending() > 0) await setTimeout(5)
  t.equal(failing.deliveries.length, 3)
  t.match(first.warnings, [{ event: 'task.finished', reason: 'status 500' }])
  const gone = await startReceiver(t, 410)
  const second = startTested(t, gone.url, [5, 5])
  second.events.emit(finished)
  while (second.webhooks.pending() > 0) await setTimeout(5)
  t.equal(gone.deliveries.length, 1)
})

t.test('events that wait are bounded, and closing leaves none behind', async t => {
  const slow = createServer(() => undefined)
  slow.listen(0, '127.0.0.1')
  await once(slow, 'listening')
  t.teardown(() => {
    slow.closeAllConnections()
    slow.close()
  })
  const { events, webhooks, warnings } = startTested(t, `http://127.0.0.1:${(slow.address() as AddressInfo).port}`, [5])
  for (let sent = 0; sent < 1_010; sent++) events.emit(finished)
  t.equal(webhooks.pending(), 1_000)
  t.equal(warnings.length, 10)
  await webhooks.close()
  t.equal(webhooks.pending(), 0)
})
