import { parseArgs } from 'node:util'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { playFaults } from './play.ts'

/** `npm run test:faults -- [--count 100000] [--from 1] [--json]`: plays so many schedules and counts what went wrong. */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  })
  const undo: (() => Promise<void>)[] = []
  try {
    const { faults_tried: tried, ...wrong } = await playFaults(
      { teardown: each => undo.push(each) },
      { from: Number(values.from), count: Number(values.count) },
      finding => process.stderr.write(`${finding}\n`),
    )
    const rows: Row[] = [
      { name: 'faults_tried', value: tried, unit: 'requests' },
      ...Object.entries(wrong).map(([name, value]) => goalRow({ name, value, unit: 'requests' }, 'at_most', 0)),
    ]
    process.stdout.write(`${renderReport(rows, values.json)}\n`)
    if (Object.values(wrong).some(count => count > 0)) process.exitCode = 1
  } finally {
    for (const each of undo.toReversed()) await each()
  }
}

await main(process.argv.slice(2))
