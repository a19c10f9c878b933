import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { goalRow, renderReport, type Row } from '../../src/cli/rows.ts'
import { scriptedUpstream } from '../helpers/scripted-upstream.ts'
import { variablesFor } from '../helpers/start-gateway.ts'
import { loopCases } from './loop-cases.ts'
import { measureLoop } from './loop.ts'
import { fuzzKey, playFuzz } from './play.ts'
import { serveInProcess } from './served.ts'

const goalMs = 20

/**
 * `npm run test:fuzz -- [--count 10000] [--from 1] [--only TEXT] [--json]`: sends so many requests made from the batch seed
 * `from` on, then everything that is made to be slow and whose name contains TEXT, to a Signalbox in its own process.
 */
async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: 'string', default: '10000' },
      from: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  })
  const undo: (() => Promise<void>)[] = []
  const t = { teardown: (each: () => Promise<void>) => void undo.push(each) }
  try {
    const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-fuzz-code-'))
    t.teardown(async () => rmSync(folder, { recursive: true, force: true }))
    const upstream = await scriptedUpstream(t, 'openai-compatible', { answer: { text: ['Yes.'] } })
    const served = await serveInProcess({
      ...variablesFor(upstream),
      CODE_SEARCH_ROOTS: folder,
      SIGNALBOX_API_KEY: fuzzKey,
      PROVIDER_HEALTH_PROBE_INTERVAL_MS: '3600000',
    })
    t.teardown(served.close)
    const tell = (line: string) => process.stderr.write(`${line}\n`)
    const plan = { from: Number(values.from), count: Number(values.count) }
    const { requests, accepted, unexpected, hangs } = await playFuzz(served.url, plan, tell)
    const rows: Row[] = [
      { name: 'requests_fuzzed', value: requests, unit: 'requests' },
      { name: 'requests_accepted', value: accepted, unit: 'requests' },
      goalRow({ name: 'unexpected_failures', value: unexpected, unit: 'requests' }, 'at_most', 0),
      goalRow({ name: 'hangs', value: hangs, unit: 'requests' }, 'at_most', 0),
    ]
    const cases = loopCases({ url: served.url, upstream, folder }).filter(({ name }) => name.includes(values.only))
    const slow: Row[] = []
    let held = 0
    await measureLoop(served, cases, ({ name, cpuMs, elapsedMs }) => {
      const row = goalRow({ name, value: cpuMs, unit: 'ms' }, 'at_most', goalMs)
      held = Math.max(held, cpuMs)
      if (row.met === false) slow.push(row)
      if (row.met === false) tell(`${cpuMs.toFixed(0)} ms (${elapsedMs.toFixed(0)} ms by the clock): ${name}`)
    })
    rows.push(
      { name: 'slow_inputs_tried', value: cases.length, unit: 'inputs' },
      { name: 'slow_inputs_within_goal', value: cases.length - slow.length, unit: 'inputs' },
      goalRow({ name: 'worst_loop_lag', value: held, unit: 'ms' }, 'at_most', goalMs),
      ...slow.sort((a, b) => b.value - a.value),
    )
    process.stdout.write(`${renderReport(rows, values.json)}\n`)
    if (unexpected + hangs > 0) process.exitCode = 1
  } finally {
    for (const each of undo.toReversed()) await each()
  }
}

await main(process.argv.slice(2))
