import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'

/**
 * Last step of `npm run coverage`: raises the thresholds in .c8rc.json to the measured coverage minus a margin, and never
 * lowers one. Below a threshold c8 has already failed.
 */
const root = path.resolve(import.meta.dirname, '..')
const file = path.join(root, '.c8rc.json')

/** Percentage points that two runs of the same tests may differ by: some branches depend on timing. */
const margin = 0.5

const measures = ['lines', 'branches', 'functions'] as const
const Percentage = z.object({ pct: z.number() })
const Summary = z.object({ total: z.object({ lines: Percentage, branches: Percentage, functions: Percentage }) })

const summary = path.join(root, '.coverage/coverage-summary.json')
const { total } = Summary.parse(JSON.parse(readFileSync(summary, 'utf8')))
const config = z.looseObject({}).parse(JSON.parse(readFileSync(file, 'utf8')))
const raised = measures.flatMap(measure => {
  const floor = Math.floor((total[measure].pct - margin) * 10) / 10
  return floor > Number(config[measure] ?? 0) ? [[measure, floor] as const] : []
})
if (raised.length > 0) {
  const text = JSON.stringify({ ...config, ...Object.fromEntries(raised) })
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: 'json-stringify' }))
  const floors = raised.map(([measure, floor]) => `${measure} ${floor} %`).join(', ')
  process.stdout.write(`Raised the thresholds in .c8rc.json: ${floors}. Commit it.\n`)
}
