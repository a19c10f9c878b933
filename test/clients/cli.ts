import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { format } from 'prettier'
import { goalRow, renderReport } from '../../src/cli/rows.ts'
import { writeDocument } from '../../tools/docs/sections.ts'
import { clients, type Client } from './client-list.ts'
import { install } from './install.ts'
import { changes, failures, renderTables, withoutOutput, type ClientReport, type RunReport } from './report.ts'

/**
 * `npm run clients [-- --json] [--only NAME,…] [--case NAME,…] [--offline]`: installs the newest version of every client, has each do
 * its cases, one after the other, and writes the tables of docs/clients.md and what the next run compares with. With `--only` the
 * others keep what they did before; with `--case` nothing is written. `LLAMA_SERVER_URL` adds a real llama-server with the scripted
 * model; `CLIENTS_DIR` is where clients are installed.
 */
const lastRun = path.join(import.meta.dirname, 'last-run.json')

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      offline: { type: 'boolean', default: false },
      only: { type: 'string' },
      case: { type: 'string' },
    },
  })
  // Everything started from here inherits it: a machine that does other things should not notice.
  os.setPriority(10)
  const chosen = clients.filter(({ id, name }) => isChosen(values.only, id) || isChosen(values.only, name))
  const report: RunReport = { date: new Date().toISOString().slice(0, 10), clients: [] }
  const earlier = existsSync(lastRun) ? (JSON.parse(readFileSync(lastRun, 'utf8')) as RunReport) : undefined
  for (const client of chosen) {
    report.clients.push(await tryOut(client, values.case, values.offline))
    // After each, since an hour is long enough for something to end the run.
    if (values.case === undefined) await save(mergedReport(earlier, report))
  }
  if (earlier !== undefined) process.stderr.write(`${changes(earlier, report).join('\n')}\n`)
  const failed = failures(report)
  const cases = report.clients.flatMap(({ problems }) => Object.keys(problems))
  const rows = [
    { name: 'clients', value: report.clients.filter(({ version }) => version !== null).length, unit: 'clients' },
    { name: 'cases', value: cases.length, unit: 'cases' },
    goalRow({ name: 'failed', value: failed.length, unit: 'cases' }, 'at_most', 0),
  ]
  process.stderr.write(failed.map(line => `failed: ${line}\n`).join(''))
  process.stdout.write(`${renderReport(rows, values.json)}\n`)
  if (failed.length > 0) process.exitCode = 1
}

async function save({ date, clients: reports }: RunReport): Promise<void> {
  const report = { date, clients: reports.map(each => ({ ...each, problems: shortened(each.problems) })) }
  writeFileSync(lastRun, await format(JSON.stringify(report), { parser: 'json', printWidth: 120 }))
  await writeDocument('docs/clients.md', { clients: renderTables(report) })
}

function shortened(problems: ClientReport['problems']): ClientReport['problems'] {
  return Object.fromEntries(Object.entries(problems).map(([name, problem]) => [name, withoutOutput(problem)]))
}

/** The new reports, and the earlier ones of clients that were not tried this time. */
function mergedReport(earlier: RunReport | undefined, { date, clients: reports }: RunReport): RunReport {
  const all = new Map([...(earlier?.clients ?? []), ...reports].map(report => [report.id, report]))
  return { date, clients: clients.flatMap(({ id }) => all.get(id) ?? []) }
}

function isChosen(names: string | undefined, name: string): boolean {
  return names === undefined || names.split(',').includes(name)
}

async function tryOut(client: Client, cases: string | undefined, offline: boolean): Promise<ClientReport> {
  const report: ClientReport = { id: client.id, version: null, problems: {}, skipped: {}, form: [] }
  let folder: string
  try {
    const installed = await install(client.id, client.packages, offline)
    folder = installed.folder
    report.version = installed.versions[client.packages[0]!] ?? null
    if (installed.note !== undefined) report.note = installed.note
  } catch (error) {
    report.note = (error as Error).message.split('\n')[0]!
    return report
  }
  for (const { name, skip, run } of client.cases.filter(each => isChosen(cases, each.name))) {
    if (skip !== undefined) {
      report.skipped[name] = skip
      continue
    }
    const undo: (() => Promise<void>)[] = []
    try {
      const { problem = '', form } = await run({ teardown: step => void undo.unshift(step) }, folder)
      report.problems[name] = problem
      if (report.form.length === 0 && form !== undefined) report.form = form
    } catch (error) {
      report.problems[name] = (error as Error).message
    } finally {
      for (const step of undo) await step()
    }
    const outcome = report.problems[name] === '' ? 'ok' : (report.problems[name] ?? '')
    process.stderr.write(`${client.name} ${String(report.version)}: ${name}: ${outcome}\n`)
  }
  return report
}

await main(process.argv.slice(2))
