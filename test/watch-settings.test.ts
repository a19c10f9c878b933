import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { watchSettings } from '../src/watch-settings.ts'
import { gate, scriptedUpstream } from './helpers/scripted-upstream.ts'
import { startFromFiles } from './helpers/start-from-files.ts'

t.test('the callback runs once at first, and again when a file is written, replaced or removed', async t => {
  const { root, times } = watch(t)
  await times[0]
  for (const [index, change] of [
    () => writeFileSync(path.join(root, '.env'), 'A=1'),
    () => writeFileSync(path.join(root, 'signalbox.json'), '{}'),
    () => writeFileSync(path.join(root, '.env'), 'A=22'),
    () => rmSync(path.join(root, '.env')),
  ].entries()) {
    change()
    await t.resolves(times[index + 1]!)
  }
})

t.test('an API key in .env adds its server while Signalbox runs, and is logged', async t => {
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const { core, write, logged } = await startFromFiles(t, { OPENROUTER_ENDPOINT: remote.url })
  t.same(core.inventory.models(), [])
  write('.env', 'OPENROUTER_API_KEY=sk-or-test')
  t.match(await logged(/settings reloaded/), {
    msg: 'settings reloaded',
    changed: ['providers'],
    servers: ['openrouter: up, 1 models'],
  })
  t.match(core.inventory.models(), [{ id: 'openrouter/open/gift:free' }])
  t.equal(core.slotsOf('openrouter').limits().slots, 5)
})

t.test('an invalid or restart-only setting changes nothing, and the log says why', async t => {
  const remote = await scriptedUpstream(t, 'openrouter')
  const { core, write, logged } = await startFromFiles(t, { OPENROUTER_ENDPOINT: remote.url })
  write('.env', 'OPENROUTER_API_KEY=sk-or-test\nCOST_THRESHOLD=much')
  t.match(await logged(/COST_THRESHOLD/), { msg: /^settings not reloaded/, reason: /Nothing was/ })
  write('.env', 'OPENROUTER_API_KEY=sk-or-test\nHOST=localhost')
  t.match(await logged(/HOST/), { reason: /HOST can only change at a restart/ })
  t.same(core.inventory.providers(), [])
})

t.test('a queued request for a removed server is not sent there, and a running one is answered', async t => {
  const held = gate()
  const remote = await scriptedUpstream(t, 'openrouter', {
    answer: { hold: { before: 'headers', until: held.opened } },
  })
  const { client, write, core } = await startFromFiles(t, {
    OPENROUTER_ENDPOINT: remote.url,
    PROVIDER_MAX_CONCURRENT_REMOTE: '1',
    QUALITY_THRESHOLD: '0',
  })
  write('.env', 'OPENROUTER_API_KEY=sk-or-test')
  await client.call('reload_config')
  const ask = (requestId: string) => {
    const call = {
      requestId,
      receivedAt: core.now(),
      endpoint: 'test',
      keyId: 'test',
      signal: new AbortController().signal,
    }
    const messages = [{ role: 'user' as const, content: 'Hi' }]
    return core.gateway.chat(call, { model: 'openrouter/scripted', messages, stream: false })
  }
  const first = ask('req_1')
  await remote.untilChats(1)
  const second = ask('req_2')
  while (core.slotsOf('openrouter').waiting() === 0) await new Promise(resolve => setImmediate(resolve))
  write('.env', '')
  await client.call('reload_config')
  held.open()
  t.match(await first, { served: { model: { name: 'scripted' } } })
  await t.rejects(second, { code: 'model_not_found', message: /removed from the settings/ })
  t.equal(remote.chats.length, 1)
  t.equal(core.slotsOf('openrouter').busy(), 0)
})

t.test('a server that failed too often is tried at once when its settings are fixed', async t => {
  const refuse = { error: { status: 500, message: 'no' } }
  const remote = await scriptedUpstream(t, 'openrouter', { answer: refuse })
  const { client, write, core } = await startFromFiles(t, { OPENROUTER_ENDPOINT: remote.url, QUALITY_THRESHOLD: '0' })
  write('.env', 'OPENROUTER_API_KEY=sk-or-wrong')
  await client.call('reload_config')
  const run = async () => {
    const { task_id } = await client.call('route_task', { task: 'Say hello.', context_length: 0 })
    return await client.call('get_task_status', { task_id, wait_seconds: 30 })
  }
  for (let failures = 0; failures < 3; failures++) t.match(await run(), { status: 'failed' })
  await t.rejects(run(), { message: /failed [23] times/ })
  remote.script = {}
  write('.env', 'OPENROUTER_API_KEY=sk-or-right')
  t.same(await client.call('reload_config'), { changed: ['providers'] })
  t.match(await run(), { status: 'completed' })
  t.equal(remote.chats.at(-1)?.headers.authorization, 'Bearer sk-or-right')
  t.equal(core.inventory.providers().length, 1)
})

function watch(t: Test) {
  const root = t.testdir()
  const seen: (() => void)[] = []
  const times = [1, 2, 3, 4, 5].map(() => {
    const time = Promise.withResolvers<void>()
    seen.push(time.resolve)
    return time.promise
  })
  const unwatch = watchSettings({ root, intervalMs: 5, onWritten: () => seen.shift()?.() })
  // The watch itself keeps no process alive.
  const awake = setInterval(() => undefined, 1000)
  t.teardown(() => {
    unwatch()
    clearInterval(awake)
  })
  return { root, times }
}
