import { openSync, closeSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import t from 'tap'
import { noUsage } from '../../src/wire/usage.ts'
import { collectedLog, recordOf, noon, openTestLedger } from './open-ledger.ts'

t.test('keeps records while another process holds the lock, reports it, and writes them afterwards', async t => {
  const { log, lines } = collectedLog()
  const ledger = openTestLedger(t, { flushMs: 60_000, busyMs: 1, log })
  const release = lock(t, ledger.file)

  ledger.record(recordOf('req-1'))
  await t.rejects(ledger.flush(), { code: 'ledger_unavailable', message: /Another process has locked it/ })
  t.match(ledger.status(), { buffered: 1, written: 0, lost: 0, failedWrites: 1, failure: { message: /lock/ } })
  t.match(lines, [{ facts: { retryMs: Number } }])
  t.same(await ledger.recent(10), [], 'reads go on')

  release()
  await ledger.flush()
  t.match(ledger.status(), { buffered: 0, written: 1, failedWrites: 0, failure: undefined })
  t.equal((await ledger.recent(10)).length, 1)
})

t.test('retries automatically', async t => {
  const ledger = openTestLedger(t, { flushMs: 1, busyMs: 1 })
  const release = lock(t, ledger.file)
  ledger.record(recordOf('req-1'))
  while (ledger.status().failedWrites < 2) await new Promise(resolve => setTimeout(resolve, 1))
  release()
  while (ledger.status().buffered > 0) await new Promise(resolve => setTimeout(resolve, 1))
  t.match(ledger.status(), { written: 1, lost: 0, failedWrites: 0 })
})

t.test('drops and counts records beyond the buffer while the disk fails, and logs it once', async t => {
  const { log, lines } = collectedLog()
  const ledger = openTestLedger(t, { flushMs: 60_000, busyMs: 1, maxBuffered: 3, log })
  const release = lock(t, ledger.file)
  for (const id of ['a', 'b', 'c', 'd', 'e']) ledger.record(recordOf(id))
  t.match(ledger.status(), { buffered: 3, lost: 2 })
  t.equal(lines.filter(line => /is dropping records/.test(line.message)).length, 1)
  release()
  t.same((await ledger.flush(), (await ledger.recent(10)).map(row => row.id).sort()), ['a', 'b', 'c'])
  t.match(ledger.status(), { written: 3, lost: 2 })
})

t.test('one bad record does not affect its neighbors', async t => {
  const { log, lines } = collectedLog()
  const ledger = openTestLedger(t, { log })
  ledger.record(recordOf('before', { decision: { fine: true } }))
  ledger.record(recordOf('bad', { usage: { ...noUsage, inputTokens: Number.NaN } }))
  ledger.record(recordOf('after', { decision: { fine: true } }))
  t.same((await ledger.recent(10)).map(row => row.id).sort(), ['after', 'before'])
  t.same((await ledger.request('after'))?.decision, { fine: true })
  t.match(ledger.status(), { rejected: 1, lost: 0, buffered: 0 })
  t.match(lines, [{ facts: { id: 'bad' } }])
})

t.test('a request recorded twice counts once', async t => {
  const { log, lines } = collectedLog()
  const ledger = openTestLedger(t, { log })
  ledger.record(recordOf('req-1'))
  ledger.record(recordOf('req-1', { outcome: 'error' }))
  t.match(await ledger.recent(10), [{ outcome: 'ok' }])
  t.match(lines, [{ facts: { id: 'req-1' }, message: /once/ }])
})

t.test('a decision that cannot be stored does not lose the request', async t => {
  const ledger = openTestLedger(t)
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  ledger.record(recordOf('circular', { decision: circle }))
  ledger.record(recordOf('huge', { decision: 'x'.repeat(600_000) }))
  t.match(await ledger.request('circular'), { request: { id: 'circular' }, decision: null })
  t.match(await ledger.request('huge'), { request: { id: 'huge' }, decision: null })
  t.equal(ledger.status().rejected, 2)
})

t.test('after closing, records are counted as lost and reads are rejected', async t => {
  const { log, lines } = collectedLog()
  const ledger = openTestLedger(t, { log })
  await ledger.close()
  t.doesNotThrow(() => ledger.record(recordOf('late')))
  t.equal(ledger.status().lost, 1)
  t.match(lines, [{ message: /closed/ }])
  await t.rejects(ledger.recent(1), { code: 'ledger_unavailable', message: /closed/ })
})

t.test('closing while the disk fails reports what was lost', async t => {
  const first = openTestLedger(t, { flushMs: 60_000, busyMs: 1 })
  first.record(recordOf('req-0'))
  await first.flush()
  await first.close()
  damage(first.file)

  const { log } = collectedLog()
  const ledger = openTestLedger(t, { file: first.file, flushMs: 60_000, log })
  ledger.record(recordOf('req-1'))
  await t.rejects(ledger.close(), { code: 'ledger_unavailable', message: /damaged/ })
  t.match(ledger.status(), { lost: 1, buffered: 0 })
})

t.test('a damaged file is named when it is read, and the process keeps running', async t => {
  const first = openTestLedger(t)
  for (let index = 0; index < 100; index += 1) first.record(recordOf(`req-${index}`))
  await first.close()
  damage(first.file)

  const ledger = openTestLedger(t, { file: first.file })
  const namesIt = { code: 'ledger_unavailable', message: new RegExp(`${first.file}.*damaged.*backup`) }
  await t.rejects(ledger.recent(10), namesIt)
  await t.rejects(ledger.request('req-5'), namesIt)
  await t.rejects(ledger.usage({ group_by: ['model'], period: 'all' }), namesIt)
  await t.rejects(ledger.prune(noon), namesIt)
  const decisions = ledger.decisions({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER })[Symbol.asyncIterator]()
  await t.rejects(decisions.next(), namesIt)
})

/** Holds the write lock of a database, as another process would; returns a function that releases it. */
function lock(t: { teardown: (done: () => void) => unknown }, file: string): () => void {
  const other = new Database(file)
  t.teardown(() => void other.close())
  other.exec('BEGIN IMMEDIATE')
  return () => void other.exec('COMMIT')
}

/** Overwrites the root page of every table and index; the schema that names them stays readable. */
function damage(file: string): void {
  const pageBytes = 4_096
  const database = new Database(file)
  const roots = database.prepare<[], number>('SELECT rootpage FROM sqlite_schema WHERE rootpage > 1').pluck().all()
  database.close()
  const handle = openSync(file, 'r+')
  for (const root of roots) writeSync(handle, Buffer.alloc(pageBytes, 0xa5), 0, undefined, (root - 1) * pageBytes)
  closeSync(handle)
}
