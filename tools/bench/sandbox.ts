import { parseArgs } from 'node:util'
import { describeWalls, isSecondWallWhole } from '../../src/bench/sandbox/walls.ts'
import { openSandbox } from '../../src/bench/sandbox/sandbox.ts'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { layBait } from '../../test/bench/red-team/bait.ts'
import { redTeam } from '../../test/bench/red-team/index.ts'
import { putAll } from '../../test/bench/red-team/try.ts'

const minTries = 150
const timedPrograms = 21

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const bait = await layBait()
const sandbox = openSandbox()
try {
  const verdicts = await putAll(Object.values(redTeam).flat(), sandbox, bait)
  const escapes = verdicts.filter(({ escape }) => escape !== undefined)
  for (const { language, attempt, escape } of escapes) process.stderr.write(`${language}: ${attempt}: ${escape}\n`)
  const walls = await sandbox.walls()
  process.stderr.write(`Behind: ${describeWalls(walls)}.\n`)
  const rows: Row[] = [
    goalRow({ name: 'sandbox_tries', value: verdicts.length, unit: 'programs' }, 'at_least', minTries),
    goalRow({ name: 'sandbox_escapes', value: escapes.length, unit: 'programs' }, 'at_most', 0),
    { name: 'sandbox_second_wall', value: Number(isSecondWallWhole(walls)), unit: '1 = whole' },
    { name: 'python_program', value: await median(() => sandbox.python({ source: '', cases: ['1'] })), unit: 'ms' },
    {
      name: 'javascript_program',
      value: await median(() => sandbox.javascript({ source: '', cases: ['1'] })),
      unit: 'ms',
    },
  ]
  process.stdout.write(`${renderReport(rows, values.json)}\n`)
  if (escapes.length > 0) process.exitCode = 1
} finally {
  await sandbox.close()
  await bait.close()
}

/** Median of sequential programs, so that preparing the next one counts. */
async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < timedPrograms; index++) {
    const from = performance.now()
    await run()
    times.push(performance.now() - from)
  }
  return times.sort((a, b) => a - b)[timedPrograms >> 1]!
}
