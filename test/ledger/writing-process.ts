import { writeSync } from 'node:fs'
import { openLedger } from '../../src/ledger/ledger.ts'
import { recordOf } from './open-ledger.ts'

const [mode, file, prefix = ''] = process.argv.slice(2) as ['endless' | 'counted', string, string?]
const perStep = 10
const countedSteps = 200
const ledger = openLedger({ file, now: Date.now })

let steps = 0
function step(): void {
  const atMs = performance.now()
  const lines: string[] = []
  for (let index = 0; index < perStep; index += 1) {
    const id = `${prefix}${steps}-${index}`
    ledger.record(recordOf(id, { decision: { steps, index } }))
    lines.push(`${id} ${atMs}\n`)
  }
  // Not process.stdout: what is printed must have left the process when it is killed.
  writeSync(1, lines.join(''))
  steps += 1
  if (mode === 'endless' || steps < countedSteps) setTimeout(step, 1)
  else void ledger.close().then(() => writeSync(1, `closed ${JSON.stringify(ledger.status())}\n`))
}
step()
