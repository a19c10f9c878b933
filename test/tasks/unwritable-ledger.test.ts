import Database from 'better-sqlite3'
import t from 'tap'
import { gate, scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { startGateway, variablesFor } from '../helpers/start-gateway.ts'

t.test('a task that ends while the ledger cannot be written is recorded as soon as it can', async t => {
  const held = gate()
  t.teardown(held.open)
  const local = await scriptedUpstream(t, 'llama-cpp', {
    answer: { text: 'Done.', hold: { before: 'headers', until: held.opened } },
  })
  const gateway = await startGateway(t, variablesFor(local))
  const input = { task: 'Say done.', context_length: 0 }
  const { task_id: id } = (await gateway.post('/api/tasks', input)).json
  await local.untilChats(1)

  const other = new Database(gateway.core.ledger.status().file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  held.open()
  await gateway.core.gateway.idle()
  t.match((await gateway.get(`/api/tasks/${id}?wait_seconds=0.5`)).json, { status: 'in_progress' })
  const refused = await gateway.post('/api/tasks', input)
  t.equal(refused.status, 503, 'and a new one is refused')
  t.match(refused.json.error, { code: 'ledger_unavailable', message: /Another process has locked it/ })

  other.exec('COMMIT')
  t.match((await gateway.get(`/api/tasks/${id}?wait_seconds=30`)).json, {
    status: 'completed',
    runs: 1,
    result: { text: 'Done.' },
  })
})
