import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import Database from 'better-sqlite3'
import t from 'tap'
import { openTestLedger } from './open-ledger.ts'

t.test('kill -9 loses at most the last 100 ms and damages nothing', async t => {
  const folder = t.testdir()
  for (const linesBeforeKill of [2_000, 3_000, 4_321]) {
    const file = path.join(folder, `killed-${linesBeforeKill}.sqlite`)
    const recorded = await killedAfter(linesBeforeKill, file)

    // The child's own clock. Its timers run between two steps, so what was 100 ms old (and one for the timer's rounding) in
    // the last step but one had been written before the last one.
    const times = [...new Set(recorded.map(({ atMs }) => atMs))]
    const lastStepButOneMs = times.at(-2)!
    const due = recorded.filter(({ atMs }) => atMs + 102 < lastStepButOneMs)
    t.ok(due.length > 0, `the child lived for more than 100 ms (${due.length} of ${recorded.length} were due)`)

    const books = new Database(file)
    t.equal(books.pragma('integrity_check', { simple: true }), 'ok')
    t.same(books.pragma('foreign_key_check'), [])
    const stored = new Set(books.prepare('SELECT id FROM requests').pluck().all())
    t.same(
      due.filter(({ id }) => !stored.has(id)),
      [],
      'everything older is there',
    )
    t.equal(books.prepare('SELECT count(*) FROM attempts').pluck().get(), stored.size, 'with its attempt')
    t.equal(books.prepare('SELECT count(*) FROM decisions').pluck().get(), stored.size, 'and its decision')
    books.close()

    const ledger = openTestLedger(t, { file })
    t.equal((await ledger.usage({ group_by: ['model'], period: 'all' })).totals.requests, stored.size)
  }
})

t.test('two processes that open the same new file at once both record in it', async t => {
  const file = path.join(t.testdir(), 'shared.sqlite')
  const outputs = await Promise.all(['a', 'b'].map(prefix => run('counted', file, prefix)))
  for (const lines of outputs) {
    const last = lines.at(-1)!
    t.match(JSON.parse(last.replace('closed ', '')), { written: 2_000, lost: 0, rejected: 0, buffered: 0 })
  }
  const books = new Database(file)
  t.teardown(() => void books.close())
  t.equal(books.pragma('integrity_check', { simple: true }), 'ok')
  t.equal(books.prepare('SELECT count(*) FROM requests').pluck().get(), 4_000)
  t.equal(books.prepare('SELECT count(*) FROM attempts').pluck().get(), 4_000)
})

async function killedAfter(lineCount: number, file: string): Promise<{ id: string; atMs: number }[]> {
  const lines = await run('endless', file, '', lineCount)
  return lines.map(line => {
    const [id, atMs] = line.split(' ')
    return { id: id!, atMs: Number(atMs) }
  })
}

/** Everything the child printed; it is killed after so many lines. */
async function run(mode: string, file: string, prefix: string, killAfterLines = Infinity): Promise<string[]> {
  const program = path.join(import.meta.dirname, 'writing-process.ts')
  const child = spawn(process.execPath, [program, mode, file, prefix], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (lines.length === killAfterLines) child.kill('SIGKILL')
  }
  return lines
}
