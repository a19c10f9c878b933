import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { usageCsv } from '../../src/ledger/csv.ts'
import { recordOf, openTestLedger } from './open-ledger.ts'

const anyName = fc.option(
  fc.oneof(fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }), fc.stringMatching(/^[=+\-@'",\r\n\ta]{1,8}$/)),
)

t.test('every name and figure comes back from the CSV', async t => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(anyName, { minLength: 1, maxLength: 8 }), async names => {
      const ledger = openTestLedger(t, { file: `${t.testdir()}/ledger.sqlite` })
      names.forEach((model, index) =>
        ledger.record(recordOf(`req-${index}`, { model: model ?? undefined, costUsd: index / 7, ttftMs: undefined })),
      )
      const report = await ledger.usage({ group_by: ['model'] })
      await ledger.close()

      const [header, ...lines] = parseCsv(usageCsv(report))
      const columns = Object.keys(report.totals) as (keyof typeof report.totals)[]
      assert.deepEqual(header, ['model', ...columns])
      assert.deepEqual(
        lines,
        report.rows.map(row => [row.group.model ?? '', ...columns.map(column => String(row[column] ?? ''))]),
      )
    }),
    { numRuns: 60 },
  )
})

t.test('no cell can run as a formula in a spreadsheet', async t => {
  const ledger = openTestLedger(t)
  const names = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1']
  names.forEach(model => ledger.record(recordOf(model, { model })))
  const cells = usageCsv(await ledger.usage({ group_by: ['model'] }))
    .split(/\r\n/)
    .map(line => line.replace(/^"/, ''))
  t.notOk(cells.some(cell => /^[=+\-@\t\r＝]/.test(cell)))
})

t.test('a report without rows is a header', async t => {
  t.match(usageCsv(await openTestLedger(t).usage({ group_by: ['key'] })), /^key,requests,errors,[a-z_0-9,]+\r\n$/)
})

/** RFC 4180, implemented independently of the code under test; removes the apostrophe again. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = []
  let cells: string[] = []
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    const cell = match[1]?.replaceAll('""', '"') ?? match[2] ?? ''
    cells.push(cell.startsWith("'") ? cell.slice(1) : cell)
    if (match[3] === ',') continue
    lines.push(cells)
    cells = []
  }
  return lines
}
