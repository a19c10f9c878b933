import { writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { migrations } from '../../src/ledger/migrations/index.ts'
import { recordOf, noon, openTestLedger } from './open-ledger.ts'

const applicationId = 0x53474258

t.test('creates the file and its folder, with settings that survive a crash', async t => {
  const ledger = openTestLedger(t, { file: path.join(t.testdir(), 'deep', 'down', 'ledger.sqlite') })
  const other = new Database(ledger.file, { readonly: true })
  t.teardown(() => void other.close())
  t.equal(other.pragma('journal_mode', { simple: true }), 'wal')
  t.equal(other.pragma('application_id', { simple: true }), applicationId)
  t.equal(other.pragma('user_version', { simple: true }), migrations.length)
})

t.test('migrations count up from 1 without a gap', async t => {
  t.same(
    migrations.map(migration => migration.version),
    migrations.map((_, index) => index + 1),
  )
})

t.test('migrates a file of every older schema and keeps its content', async t => {
  const folder = t.testdir()
  for (const { version } of migrations.slice(0, -1)) {
    const file = path.join(folder, `schema-${version}.sqlite`)
    const older = new Database(file)
    for (const migration of migrations.slice(0, version)) older.exec(migration.sql)
    older.exec(`INSERT INTO requests (id, created_at, endpoint, key_id, requested_model, outcome, status, stream, attempts,
      input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, usage_estimated, duration_ms)
      VALUES ('old', ${noon}, 'chat', 'anonymous', 'auto', 'ok', 200, 0, 0, 1, 2, 3, 4, 5, 0, 6)`)
    older.pragma(`application_id = ${applicationId}`)
    older.pragma(`user_version = ${version}`)
    older.close()

    const ledger = openTestLedger(t, { file })
    ledger.record(recordOf('new', { decision: { of: 'today' } }))
    t.match(await ledger.request('old'), { request: { input_tokens: 1, reasoning_tokens: 5 }, decision: null })
    t.match(await ledger.request('new'), { decision: { of: 'today' } })
  }
})

t.test('rejects a file written by a newer Signalbox, and leaves it unchanged', async t => {
  const { file, close } = openTestLedger(t)
  await close()
  const newer = new Database(file)
  newer.pragma(`user_version = ${migrations.length + 5}`)
  newer.close()
  t.throws(() => openTestLedger(t, { file }), {
    code: 'ledger_unavailable',
    message: new RegExp(
      `${file}.*newer Signalbox \\(schema ${migrations.length + 5}; this version supports up to ${migrations.length}\\)`,
    ),
  })
  const after = new Database(file, { readonly: true })
  t.equal(after.pragma('user_version', { simple: true }), migrations.length + 5)
  after.close()
})

t.test('rejects the database of another program, and leaves it unchanged', async t => {
  const file = path.join(t.testdir(), 'photos.sqlite')
  const foreign = new Database(file)
  foreign.exec('CREATE TABLE photos (name TEXT)')
  t.throws(() => openTestLedger(t, { file }), {
    code: 'ledger_unavailable',
    message: /photos\.sqlite belongs to another program/,
  })
  t.same(foreign.prepare('SELECT name FROM sqlite_schema').pluck().all(), ['photos'])
  foreign.close()
})

t.test('names a file that is not a database, and what to do', async t => {
  const file = path.join(t.testdir(), 'ledger.sqlite')
  writeFileSync(file, 'this is not a database, whatever its name says. '.repeat(200))
  t.throws(() => openTestLedger(t, { file }), {
    code: 'ledger_unavailable',
    message: new RegExp(`${file}.*damaged: restore a backup, or move it away`),
  })
})

t.test('names a file that cannot be created', async t => {
  const folder = t.testdir({ occupied: 'a file where a folder should be' })
  const file = path.join(folder, 'occupied', 'ledger.sqlite')
  t.throws(() => openTestLedger(t, { file }), {
    code: 'ledger_unavailable',
    message: new RegExp(`${file}.*Check that the file and its folder are writable`),
  })
})
