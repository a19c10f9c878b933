import { parseArgs } from 'node:util'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { playKills } from './kills.ts'
import { playScenarios } from './scenarios.ts'

/** How much was done; everything else is counted against a goal of none. */
const done: ReadonlySet<string> = new Set([
  'kills',
  'requests_settled',
  'tasks_submitted',
  'searches',
  'lost_in_silence_rows',
  'longest_silence_ms',
  'crash_scenarios',
])

/** `npm run test:crash -- [--kills 100] [--seed 1] [--json]`: kills servers and damages their files, and counts what went wrong. */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  })
  const undo: (() => Promise<void>)[] = []
  const teardown = (each: () => Promise<void>) => void undo.push(each)
  const report = (finding: string) => void process.stderr.write(`${finding}\n`)
  try {
    const kills = await playKills({ teardown }, { kills: Number(values.kills), seed: Number(values.seed) }, report)
    const scenarios = await playScenarios({ teardown }, report)
    const figures: Record<string, number> = { ...kills, ...scenarios }
    const rows = Object.entries(figures).map(([name, value]): Row => {
      const row = { name, value, unit: name === 'crash_scenarios' ? 'scenarios' : unitOf(name) }
      return done.has(name) ? row : goalRow(row, 'at_most', 0)
    })
    process.stdout.write(`${renderReport(rows, values.json)}\n`)
    if (rows.some(({ met }) => met === false)) process.exitCode = 1
  } finally {
    for (const each of undo.toReversed()) await each()
  }
}

function unitOf(name: string): string {
  return name.split('_').at(-1)!
}

await main(process.argv.slice(2))
