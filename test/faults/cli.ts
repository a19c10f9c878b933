import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseArgs } from 'node:util'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { playFaults } from './play.ts'

/** Batches after which compiled code and bounded caches are complete. */
const warmBatches = 3
/** More than this is growth and not chance. */
const maxGrowthMb = 10

/**
 * `npm run test:faults -- [--count 100000] [--from 1] [--batch 1000] [--minutes 60] [--json]`: plays so many schedules, or as many
 * as it can in that time, and counts what went wrong.
 */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      batch: { type: 'string', default: '1000' },
      minutes: { type: 'string', default: 'Infinity' },
      json: { type: 'boolean', default: false },
    },
  })
  const undo: (() => Promise<void>)[] = []
  const collect = garbageCollector()
  const memoryMb: number[] = []
  const endsAt = performance.now() + Number(values.minutes) * 60_000
  const schedules = { from: Number(values.from), count: Number(values.count), batch: Number(values.batch) }
  try {
    const { faults_tried: tried, ...wrong } = await playFaults(
      { teardown: each => undo.push(each) },
      {
        ...schedules,
        goOn: async () => {
          memoryMb.push(await memoryInUse(collect))
          process.stderr.write(
            `${memoryMb.length * schedules.batch} played, ${memoryMb.at(-1)!.toFixed(1)} MB in use\n`,
          )
          return performance.now() < endsAt
        },
      },
      finding => process.stderr.write(`${finding}\n`),
    )
    const rows: Row[] = [
      { name: 'faults_tried', value: tried, unit: 'requests' },
      ...Object.entries(wrong).map(([name, value]) => goalRow({ name, value, unit: 'requests' }, 'at_most', 0)),
      ...memoryRows(memoryMb),
    ]
    process.stdout.write(`${renderReport(rows, values.json)}\n`)
    if (rows.some(({ met }) => met === false)) process.exitCode = 1
  } finally {
    for (const each of undo.toReversed()) await each()
  }
}

/** What is in use after the last batch, compared with the lowest after the warm-up. */
function memoryRows(memoryMb: readonly number[]): Row[] {
  const [warm, ...later] = memoryMb.slice(warmBatches)
  if (warm === undefined || later.length === 0) return []
  const growth = { name: 'memory_growth_mb', value: later.at(-1)! - warm, unit: 'MB' }
  return [{ name: 'memory_warm_mb', value: warm, unit: 'MB' }, goalRow(growth, 'at_most', maxGrowthMb)]
}

/** Megabytes that JavaScript and its buffers hold once everything unreachable is collected. */
async function memoryInUse(collect: () => void): Promise<number> {
  for (let times = 0; times < 3; times++) {
    collect()
    // Sockets and timers let go of what they hold in the next turns of the loop.
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1e6
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

await main(process.argv.slice(2))
