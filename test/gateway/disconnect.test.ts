import { request as send } from 'undici'
import t from 'tap'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('a disconnect before the first token frees the upstream', async t => {
  const held = gate()
  t.teardown(held.open)
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { hold: { before: 'headers', until: held.opened } } })
  const remote = await scriptedUpstream(t, 'openrouter', { models: ['open/gift:free'] })
  const gateway = await startGateway(t, variablesFor(local, remote))
  for (const stream of [true, false]) {
    const controller = new AbortController()
    const asked = gateway.ask({ stream }, { signal: controller.signal })
    await local.untilChats(stream ? 1 : 2)
    controller.abort()
    await t.rejects(asked)
    await local.untilHangUps(stream ? 1 : 2)
  }
  await gateway.core.gateway.idle()
  const rows = await gateway.core.ledger.recent(5)
  t.match(rows, [{ outcome: 'cancelled', status: 499 }, { outcome: 'cancelled' }])
  t.equal(remote.chats.length, 0, 'no other model was called')
  t.equal(gateway.core.slotsOf('llama-cpp').busy(), 0)
})

t.test('a disconnect mid-stream frees the upstream, and the usage is in the ledger', async t => {
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { text: ['word '], endless: true } })
  const gateway = await startGateway(t, variablesFor(local))
  const reply = await send(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'auto', stream: true, messages: [{ role: 'user', content: 'LOOP' }] }),
  })
  for await (const bytes of reply.body) {
    if (String(bytes).includes('word')) break
  }
  await local.untilHangUps(1)
  await gateway.core.gateway.idle()
  const [row] = await gateway.core.ledger.recent(1)
  t.match(row, { outcome: 'cancelled', model: 'llama-cpp/scripted', usage_estimated: true })
  t.ok((row?.output_tokens ?? 0) > 0)
  t.equal(gateway.core.slotsOf('llama-cpp').busy(), 0)
})

t.test('closing lets requests finish, then aborts them', async t => {
  const held = gate()
  t.teardown(held.open)
  const local = await scriptedUpstream(t, 'llama-cpp', { answer: { hold: { before: 0, until: held.opened } } })
  const gateway = await startGateway(t, variablesFor(local))
  const asked = gateway.ask({ stream: true })
  await local.untilChats(1)
  await gateway.close(20)
  t.match((await asked).json, { error: { code: 'shutting_down' } })
})
