import { existsSync } from 'node:fs'
import path from 'node:path'
import { Option, type Command } from 'commander'
import { GatewayError } from '../errors.ts'
import { readInstance, type Instance } from '../instance.ts'
import { usageCsv } from '../ledger/csv.ts'
import { openLedger } from '../ledger/ledger.ts'
import { readUsage } from '../ledger/read-usage.ts'
import { UsageQuery, UsageReport, type UsageFigures } from '../ledger/usage.ts'
import { readErrorEnvelope } from '../operations/error-envelope.ts'
import { dataDirOf } from '../start.ts'
import { readConfig } from './installation.ts'
import { renderTable } from './table.ts'

/** Time limit for a running instance to answer; a long ledger is read in slices. */
const timeoutMs = 60_000

interface UsageOptions {
  period: string
  groupBy: string
  json?: boolean
  csv?: boolean
  dataDir?: string
}

export function define(command: Command): void {
  command
    .description('Show requests, tokens, cost and latency from the usage ledger.')
    .option('--period <period>', 'today, 7d, month, all, or any number of days or hours such as 24h', 'month')
    .addOption(
      new Option('--group-by <group>', 'one line per group')
        .choices(UsageQuery.shape.group_by.unwrap().options)
        .default('model'),
    )
    .option('--json', 'print the report as JSON, as GET /v1/usage does')
    .addOption(new Option('--csv', 'print the report as CSV').conflicts('json'))
    .option('--data-dir <folder>', 'folder of the ledger (DATA_DIR)')
    .addHelpText(
      'after',
      `
Asks the running Signalbox of this data directory; if none runs, reads the ledger without changing it.
Days start at midnight UTC.

Example:
  signalbox usage --period 7d --group-by provider`,
    )
    .action(showUsage)
}

async function showUsage({ period, groupBy, json, csv, dataDir }: UsageOptions): Promise<void> {
  const parsed = UsageQuery.safeParse({ period, group_by: groupBy })
  if (!parsed.success) throw new GatewayError('invalid_request', `--period ${parsed.error.issues[0]!.message}`)
  const folder = dataDir === undefined ? dataDirOf(readConfig(process.env)) : path.resolve(dataDir)
  const report = await reportOf(folder, parsed.data)
  if (json === true) process.stdout.write(`${JSON.stringify(report)}\n`)
  else process.stdout.write(csv === true ? usageCsv(report) : tableOf(report))
}

async function reportOf(folder: string, query: UsageQuery): Promise<UsageReport> {
  const instance = readInstance(folder)
  // The running instance also counts what it has not written yet, so it goes first.
  const running = instance && (await askInstance(instance, query))
  if (running !== undefined) return running
  const file = path.join(folder, 'ledger.db')
  if (existsSync(file)) return await readUsage(file, query, Date.now())
  process.stderr.write(`No requests recorded yet: there is no ledger in ${folder}.\n`)
  return await emptyReport(query)
}

async function emptyReport(query: UsageQuery): Promise<UsageReport> {
  const ledger = openLedger({ file: ':memory:', now: Date.now })
  try {
    return await ledger.usage(query)
  } finally {
    await ledger.close()
  }
}

/** Undefined if the instance has crashed. Throws the error that it answers instead of a report. */
async function askInstance({ url, token }: Instance, query: UsageQuery): Promise<UsageReport | undefined> {
  const address = `${url}/v1/usage?${new URLSearchParams(Object.entries(query)).toString()}`
  let response: Response
  try {
    response = await fetch(address, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (error) {
    if ((error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED') return undefined
    throw new GatewayError('upstream_unavailable', `Cannot reach the Signalbox instance at ${url}.`, { cause: error })
  }
  const body: unknown = await response.json()
  if (!response.ok) throw readErrorEnvelope(body, response.status)
  return UsageReport.parse(body)
}

function tableOf({ group_by, from, to, rows, totals }: UsageReport): string {
  const since = from === null ? 'since the beginning' : `from ${minuteOf(from)}`
  const head = [group_by, 'requests', 'errors', 'input', 'cached', 'output', 'cost', 'first token', 'duration']
  const lines = rows.map(row => lineOf(row.group ?? '(no model answered)', row))
  const { unknown_cost_requests: unknown, partial_requests: partial, energy_usd: energy, byok_cost_usd: byok } = totals
  const notes = [
    ...(unknown === 0 ? [] : [`Requests of unknown cost, not included above: ${count(unknown)}`]),
    ...(partial === 0 ? [] : [`Requests that ended early, included as far as they got: ${count(partial)}`]),
    ...(energy === 0 ? [] : [`Electricity of local models, included above: ${energy.toFixed(4)}`]),
    ...(byok === 0 ? [] : [`Billed by providers to your own keys, included above: ${byok.toFixed(4)}`]),
  ]
  const note = notes.length === 0 ? '' : `\n${notes.join('\n')}\n`
  return `Usage ${since} to ${minuteOf(to)} UTC; tokens, USD, median latency\n\n${renderTable([head, ...lines, lineOf('total', totals)])}${note}`
}

function lineOf(name: string, figures: UsageFigures): string[] {
  const { requests, errors, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd } = figures
  return [
    name,
    count(requests),
    count(errors),
    count(input_tokens + cache_write_tokens),
    count(cache_read_tokens),
    count(output_tokens),
    cost_usd.toFixed(4),
    milliseconds(figures.ttft_ms_p50),
    milliseconds(figures.duration_ms_p50),
  ]
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function milliseconds(value: number | null): string {
  return value === null ? '–' : `${count(Math.round(value))} ms`
}

function minuteOf(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ')
}
