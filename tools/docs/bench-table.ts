import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { Row } from '../../src/cli/rows.ts'
import { markdownTable, repository, writeDocument } from './sections.ts'

/** The documents with sections of benches; no section name occurs in two of them. */
const documents = ['docs/benchmarks.md', 'docs/reliability.md']
const usage = `usage: npm run bench:NAME --silent -- --json | node tools/docs/bench-table.ts SECTION --command 'npm run bench:NAME'
       [--note TEXT] [--date YYYY-MM-DD]

Reads the rows of a bench from stdin and writes them between the markers of SECTION, in ${documents.join(' or ')}.`

const Report = z.object({
  rows: z
    .array(
      z.object({
        name: z.string(),
        value: z.number(),
        unit: z.string(),
        low: z.number().optional(),
        high: z.number().optional(),
        goal: z.number().optional(),
        met: z.boolean().optional(),
      }),
    )
    .min(1),
})

export interface Measurement {
  rows: readonly Row[]
  /** The command, for readers to repeat. */
  command: string
  /** YYYY-MM-DD */
  date: string
  /** The machine it ran on. */
  machine: string
  note?: string | undefined
}

/** A sentence on how the rows were measured, and the rows as a table. */
export function benchSection({ rows, command, date, machine, note }: Measurement): string {
  const lines = rows.map(row => [
    title(row),
    `${figure(row.value)} ${row.unit}`,
    row.low === undefined || row.high === undefined ? '' : `${figure(row.low)} – ${figure(row.high)}`,
    row.goal === undefined ? '' : figure(row.goal),
    row.met === undefined ? '' : row.met ? 'met' : 'missed',
  ])
  const sentence = `Measured on ${date} by \`${command}\`, ${machine}.${note === undefined ? '' : ` ${note}`}`
  return `${sentence}\n\n${markdownTable([['what', 'measured', 'range', 'goal', ''], ...lines])}`
}

/** The row's name as words, without the unit, which is shown with the value. */
function title({ name, unit }: Row): string {
  const suffix = `_${unit.toLowerCase().replace('µ', 'u').replace('/', '_')}`
  return (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name).replaceAll('_', ' ')
}

function figure(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US')
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)))
}

/** The document that has the section. Throws if none has. */
export function documentOf(section: string): string {
  const found = documents.find(name =>
    readFileSync(path.join(repository, name), 'utf8').includes(`<!-- ${section}:start -->`),
  )
  if (found === undefined) throw new Error(`No section '${section}' in ${documents.join(' or ')}.`)
  return found
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      command: { type: 'string' },
      note: { type: 'string' },
      date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
  })
  const [section] = positionals
  if (values.help === true || section === undefined || values.command === undefined) {
    process.stdout.write(`${usage}\n`)
    process.exitCode = values.help === true ? 0 : 2
    return
  }
  const { rows } = Report.parse(JSON.parse(await text(process.stdin)))
  const document = documentOf(section)
  const machine = `Node ${process.versions.node}, ${availableParallelism()} cores`
  const { command, date, note } = values
  await writeDocument(document, { [section]: benchSection({ rows, command, date, machine, note }) })
}

if (import.meta.main) await main()
