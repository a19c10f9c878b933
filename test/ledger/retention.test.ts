import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { coreSettings } from '../../src/config/core-settings.ts'
import { readSettings } from '../../src/config/setting.ts'
import { startRetention } from '../../src/ledger/retention.ts'
import { findEndpoints } from '../../src/providers/index.ts'
import { start } from '../../src/start.ts'
import { scriptedUpstream, type ScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { exchange, variablesFor } from '../helpers/start-gateway.ts'
import { openTestLedger, noon, recordOf } from './open-ledger.ts'

const dayMs = 86_400_000

t.test('decisions are deleted after 90 days and requests after 400, unless the settings say never', async t => {
  const root = t.testdir()
  const upstream = await scriptedUpstream(t, 'llama-cpp')
  const first = await startAt(t, { root, upstream, day: 0 })
  const asked = await exchange(`${first.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello?' }] }),
  })
  t.equal(asked.status, 200)
  const [row] = await first.core.ledger.recent(1)
  const id = row!.id
  await first.close(0)

  const onDay = async (day: number, variables: Record<string, string> = {}) => {
    const running = await startAt(t, { root, upstream, day, variables })
    // One row is one batch, and that is deleted by now: starting takes many turns of the event loop.
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    const stored = await running.core.ledger.request(id)
    await running.close(0)
    return { request: stored !== undefined, decision: (stored?.decision ?? null) !== null }
  }
  t.same(await onDay(89), { request: true, decision: true })
  t.same(await onDay(500, { LEDGER_RETENTION_DAYS: '0', DECISION_RETENTION_DAYS: '0' }), {
    request: true,
    decision: true,
  })
  t.same(await onDay(91), { request: true, decision: false })
  t.same(await onDay(399), { request: true, decision: false })
  t.same(await onDay(401), { request: false, decision: false })
})

t.test('a running ledger is pruned again and again, and a failure stops nothing', async t => {
  const ledger = openTestLedger(t)
  ledger.record(recordOf('one', { decision: { one: 1 } }))
  await ledger.flush()
  let day = 0
  let fails = true
  const logged: string[] = []
  const retention = startRetention({
    ledger: {
      ...ledger,
      prune: (beforeMs, signal) =>
        fails ? Promise.reject(new Error('the disk is full')) : ledger.prune(beforeMs, signal),
    },
    days: () => ({ requests: 10, decisions: 5, tasks: 5 }),
    now: () => noon + day * dayMs,
    log: pino({}, { write: line => void logged.push(line) }),
    intervalMs: 1,
  })
  while (logged.length === 0) await setImmediate()
  fails = false
  day = 11
  while ((await ledger.recent(1)).length > 0) await new Promise(resolve => setTimeout(resolve, 1))
  await retention.close()
  t.match(logged[0], /pruning old records failed/)
  t.equal((await ledger.recent(1)).length, 0)
})

t.test('decisions are pruned in bounded batches, newer ones and all requests stay', async t => {
  const ledger = openTestLedger(t)
  for (let index = 0; index < 420; index++) {
    ledger.record(recordOf(`r-${index}`, { createdAt: noon - 400 + index, decision: { index } }))
  }
  let turns = 0
  const pruned = new AbortController()
  const counting = (async () => {
    for (; !pruned.signal.aborted; turns++) await setImmediate()
  })()
  t.equal(await ledger.pruneDecisions(noon), 400)
  pruned.abort()
  await counting
  t.ok(turns >= 40, `${turns} turns of the event loop in between`)
  t.equal(await ledger.pruneDecisions(noon), 0)
  t.equal((await ledger.recent(1_000)).length, 420)
  const left: unknown[] = []
  for await (const { decision } of ledger.decisions({ fromMs: 0, toMs: noon + 100 })) left.push(decision)
  t.equal(left.length, 20)
})

t.test('old tasks are deleted in bounded batches, unfinished and newer ones stay', async t => {
  const ledger = openTestLedger(t)
  for (let index = 0; index < 420; index++) {
    const id = `job_${index}`
    const task = { id: `task_${index}`, kind: 'route_task', createdAt: noon - 400 + index, askedBy: 'me', spec: {} }
    ledger.tasks.add(task, { id, provider: 'ollama', model: 'm' })
    if (index !== 5) ledger.tasks.finish(id, noon, { state: 'completed', outcome: {} })
  }
  let turns = 0
  const pruned = new AbortController()
  const counting = (async () => {
    for (; !pruned.signal.aborted; turns++) await setImmediate()
  })()
  t.equal(await ledger.tasks.prune(noon), 399)
  pruned.abort()
  await counting
  t.ok(turns >= 39, `${turns} turns of the event loop in between`)
  t.equal(ledger.tasks.tasks({}, { limit: -1, offset: 0 }).total, 21)
  t.ok(ledger.tasks.task('task_5'))
})

t.test('of a pruned request nothing stays, and its space is used again', async t => {
  const ledger = openTestLedger(t)
  const database = new Database(ledger.file)
  t.teardown(() => database.close())
  const rows = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
  const pages = () => database.pragma('page_count', { simple: true }) as number
  const fill = async (round: number) => {
    for (let index = 0; index < 1_000; index++) {
      ledger.record(recordOf(`r-${round}-${index}`, { decision: { round, index, why: 'w'.repeat(300) } }))
    }
    await ledger.flush()
    ledger.notes.rate({ requestId: `r-${round}-7`, score: 1, ratedAt: noon, ratedBy: 'laptop' })
    return pages()
  }
  const size = await fill(1)
  const tables = ['requests', 'attempts', 'decisions', 'ratings']
  t.same(tables.map(rows), [1_000, 1_000, 1_000, 1])
  t.equal(await ledger.prune(noon + 1), 1_000)
  t.same(tables.map(rows), [0, 0, 0, 0])
  t.ok((await fill(2)) <= 1.05 * size, 'the file does not grow')
})

interface Start {
  root: string
  upstream: ScriptedUpstream
  day: number
  variables?: Record<string, string>
}

/** A Signalbox whose clock shows a day after `noon`. */
async function startAt(t: Test, { root, upstream, day, variables = {} }: Start) {
  const environment = {
    PORT: '0',
    OLLAMA_ENDPOINT: 'off',
    LM_STUDIO_ENDPOINT: 'off',
    ...variablesFor(upstream),
    ...variables,
  }
  const values = readSettings(coreSettings, environment)
  const config = { root: path.resolve(root), values, endpoints: findEndpoints(environment, []), environment }
  const running = await start(config, '0.0.0-test', {
    log: pino({ level: 'silent' }),
    random: () => 0.5,
    now: () => noon + day * dayMs,
  })
  t.teardown(() => running.close(0))
  return running
}
