import { once } from 'node:events'
import { connect } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket } from 'undici'
import { inProcessClient } from '../../src/operations/client.ts'
import { operations } from '../../src/operations/index.ts'
import { registerLiveSocket } from '../../src/operations/live-socket.ts'
import { createWebSockets } from '../../src/operations/web-sockets.ts'
import { createLiveFeed, LiveMessage, type SendText } from '../../src/operations/live.ts'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('a watcher gets a snapshot and then every change until a task is done', async t => {
  const held = gate()
  const { client, watch, local } = await startWatched(t)
  local.script = { answer: { hold: { before: 'headers', until: held.opened } } }
  await client.call('route_task', { task: 'First.', context_length: 0 })
  await local.untilChats(1)
  const watcher = await watch()
  t.match(await watcher.next(), {
    type: 'snapshot',
    backends: ['llama-cpp'],
    queue: { running: 1, waiting: 0 },
    jobs: [{ status: 'in_progress' }],
  })
  const second = await client.call('route_task', { task: 'Second.', context_length: 0 })
  t.match(await watcher.next(), {
    type: 'job',
    job: { job_id: second['job_id'], status: 'queued' },
    queue: { waiting: 1 },
  })
  held.open()
  const states = new Set<string>()
  for (;;) {
    const message = await watcher.next()
    if (message.type !== 'job' || message.job.job_id !== second['job_id']) continue
    states.add(message.job.status)
    if (message.job.status === 'completed') break
  }
  t.same([...states], ['in_progress', 'completed'])
})

t.test('a watcher that reads nothing is disconnected, and the others continue', async t => {
  const senders = new Set<SendText>()
  const app = Fastify({ forceCloseConnections: true })
  registerLiveSocket(createWebSockets(app), send => {
    senders.add(send)
    return () => senders.delete(send)
  })
  const port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
  t.teardown(() => app.close())
  const stuck = connect(port, '127.0.0.1')
  stuck.write('GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n')
  stuck.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n')
  await once(stuck, 'data')
  stuck.pause()
  const reader = new WebSocket(`ws://127.0.0.1:${String(port)}/ws`)
  await new Promise(resolve => {
    reader.addEventListener('open', resolve)
  })
  const queue = { waiting: 0, running: 0, tasks: { queued: 0, in_progress: 0, completed: 0, failed: 0, cancelled: 0 } }
  const message: LiveMessage = {
    type: 'snapshot',
    version: 'x'.repeat(100_000),
    backends: [],
    queue,
    jobs: [],
  }
  let sent = 0
  while (senders.size > 1 && sent < 1000) {
    const heard = new Promise(resolve => {
      reader.addEventListener('message', resolve, { once: true })
    })
    for (const send of senders) send(Buffer.from(JSON.stringify(message)))
    sent += 1
    // The one that reads keeps up; the other never does.
    await heard
  }
  t.equal(senders.size, 1)
  t.ok(sent > 5, 'a short lag is tolerated')
  stuck.destroy()
  reader.close()
})

t.test('a change is made once for all who may see it, and a snapshot for all who come together', async t => {
  const { gateway, client } = await startWatched(t)
  const feed = createLiveFeed(gateway.core)
  const received = Array.from({ length: 450 }, () => [] as Buffer[])
  const stops = received.map(texts => feed.watch({ name: 'me' }, text => texts.push(text)))
  const { job_id: job } = await client.call(
    'route_task',
    { task: 'Say yes.', context_length: 0 },
    { principal: { name: 'me' } },
  )
  const isDone = (text: Buffer) => text.includes('"status":"completed"') && text.includes(String(job))
  while (!received.every(texts => texts.some(isDone))) {
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  const [first, ...others] = received
  t.ok(first!.length > 2)
  t.ok(others.every(texts => texts.every((text, position) => text === first![position])))
  for (const stop of stops) stop()
  await client.call('route_task', { task: 'Say no.', context_length: 0 }, { principal: { name: 'me' } })
  const before = first!.length
  await gateway.core.gateway.idle()
  t.equal(first!.length, before, 'nothing is sent to those who left')
})

t.test('watching requires the same API key as everything else', async t => {
  const { url } = await startWatched(t, { SIGNALBOX_API_KEY: 'sesame' })
  const refused = new WebSocket(url)
  const event = await new Promise<string>(resolve => {
    refused.addEventListener('error', () => resolve('refused'))
    refused.addEventListener('open', () => resolve('opened'))
  })
  t.equal(event, 'refused')
})

async function startWatched(t: Test, variables: Record<string, string> = {}) {
  const local = await scriptedUpstream(t, 'llama-cpp')
  const gateway = await startGateway(t, { ...variablesFor(local), ...variables })
  const url = `${gateway.url.replace('http', 'ws')}/ws`
  const watch = async () => {
    const socket = new WebSocket(url)
    t.teardown(() => {
      socket.close()
    })
    const unread: LiveMessage[] = []
    let wake = () => {}
    socket.addEventListener('message', ({ data }) => {
      unread.push(LiveMessage.parse(JSON.parse(String(data))))
      wake()
    })
    await new Promise(resolve => {
      socket.addEventListener('open', resolve)
    })
    return {
      socket,
      next: async () => {
        while (unread.length === 0) {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
        return unread.shift()!
      },
    }
  }
  return { local, gateway, url, watch, client: inProcessClient(operations, gateway.core) }
}
