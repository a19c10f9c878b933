import { existsSync } from 'node:fs'
import path from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { GatewayError } from '../errors.ts'
import { readInstance, type Instance } from '../instance.ts'
import { usageCsv } from '../ledger/csv.ts'
import { openLedger } from '../ledger/ledger.ts'
import { readUsage } from '../ledger/read-usage.ts'
import { UsageReport } from '../ledger/usage.ts'
import { groupings, maxRows, properties, UsageRequest, type UsageQuery } from '../ledger/usage-query.ts'
import type { UsageFigures } from '../ledger/usage-tally.ts'
import { readErrorEnvelope } from '../operations/error-envelope.ts'
import { dataDirOf } from '../start.ts'
import { readConfig } from './installation.ts'
import { renderTable } from './table.ts'
import { defineReconcile } from './usage-reconcile.ts'

/** Time limit for a running instance to answer; a long ledger is read in slices. */
const timeoutMs = 60_000

interface UsageOptions {
  period?: string
  from?: string
  to?: string
  groupBy: string
  filter: Record<string, string[]>
  timeZone?: string
  json?: boolean
  csv?: boolean
  dataDir?: string
}

export function define(command: Command): void {
  command
    .description('Show requests, tokens, cost and latency from the usage ledger.')
    .option('--period <period>', 'today, 7d, month, all, or any number of days or hours such as 24h (default: "month")')
    .option('--from <date>', 'instead of a period: its first day or time')
    .option('--to <date>', 'its last day, or its end')
    .option(
      '--group-by <groups>',
      `one line per group: ${groupings.join(', ')}, or several separated by commas`,
      'model',
    )
    .option('--filter <name=values>', 'only requests with one of these values, such as tag=night,batch', addFilter, {})
    .option('--time-zone <zone>', 'time zone of days, weeks and months, such as Europe/Berlin (default: "UTC")')
    .option('--json', 'print the report as JSON, as GET /v1/usage does')
    .addOption(new Option('--csv', 'print the report as CSV').conflicts('json'))
    .option('--data-dir <folder>', 'folder of the ledger (DATA_DIR)')
    .addHelpText(
      'after',
      `
Asks the running Signalbox of this data directory; if none runs, reads the ledger without changing it.

Examples:
  signalbox usage --period 7d --group-by provider
  signalbox usage --group-by day,model --filter key=laptop --csv`,
    )
    .action(showUsage)
  defineReconcile(command)
}

function addFilter(text: string, filters: Record<string, string[]>): Record<string, string[]> {
  const [, name, values] = /^([a-z]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || !(properties as readonly string[]).includes(name)) {
    throw new InvalidArgumentError(`Expected name=value, with a name of ${properties.join(', ')}.`)
  }
  return { ...filters, [name]: [...(filters[name] ?? []), ...values!.split(',')] }
}

async function showUsage({ filter, groupBy, timeZone, json, csv, dataDir, ...period }: UsageOptions): Promise<void> {
  const parsed = UsageRequest.safeParse({
    ...filter,
    ...pickDefined({ period: period.period, from: period.from, to: period.to, time_zone: timeZone }),
    group_by: groupBy,
    limit: maxRows,
  })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new GatewayError('invalid_request', problemOf(issue!))
  }
  const folder = dataDir === undefined ? dataDirOf(readConfig(process.env)) : path.resolve(dataDir)
  const report = await reportOf(folder, parsed.data)
  if (json === true) process.stdout.write(`${JSON.stringify(report)}\n`)
  else process.stdout.write(csv === true ? usageCsv(report) : tableOf(report))
}

/** In the words of the command line. */
function problemOf({ path: [field], message }: { path: readonly PropertyKey[]; message: string }): string {
  if (field === 'group_by') return `--group-by must be one or several of ${groupings.join(', ')}, separated by commas.`
  if (field === undefined) return `${message}.`
  return `--${String(field).replaceAll('_', '-')}${message.startsWith('must ') ? ' ' : ': '}${message}.`
}

function pickDefined(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined))
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
  const address = `${url}/v1/usage?${new URLSearchParams(fieldsOf(query)).toString()}`
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

/** Lists as the query of an address has them. */
function fieldsOf(query: UsageQuery): [string, string][] {
  const fields = Object.entries(query) as [string, string | number | readonly string[] | undefined][]
  return fields.flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return []
    return [[name, typeof value === 'object' ? value.join(',') : String(value)]]
  })
}

/** What a request has only if a model answered it. */
const answering: ReadonlySet<string> = new Set(['model', 'provider', 'tier'])

function tableOf({ group_by, from, to, time_zone, rows, totals }: UsageReport): string {
  const since = from === null ? 'since the beginning' : `from ${minuteOf(from)}`
  const head = [
    ...group_by,
    'requests',
    'errors',
    'input',
    'cached',
    'output',
    'cost',
    'avoided',
    'first token',
    'duration',
  ]
  const lines = rows.map(row =>
    lineOf(
      group_by.map(name => row.group[name] ?? (answering.has(name) ? '(no model answered)' : '–')),
      row,
    ),
  )
  const total = lineOf(['total', ...group_by.slice(1).map(() => '')], totals)
  const left = group_by.map((_, column) => column)
  const { unknown_cost_requests: unknown, partial_requests: partial, energy_usd: energy, byok_cost_usd: byok } = totals
  const notes = [
    ...(unknown === 0 ? [] : [`Requests of unknown cost, not included above: ${count(unknown)}`]),
    ...(partial === 0 ? [] : [`Requests that ended early, included as far as they got: ${count(partial)}`]),
    ...(totals.compared_requests === 0
      ? []
      : [
          `Avoided: what the same tokens would have cost more on the reference model, for ${count(totals.compared_requests)} requests`,
        ]),
    ...(energy === 0 ? [] : [`Electricity of local models, included above: ${energy.toFixed(4)}`]),
    ...(byok === 0 ? [] : [`Billed by providers to your own keys, included above: ${byok.toFixed(4)}`]),
  ]
  const days = time_zone === 'UTC' ? '' : ` (days of ${time_zone})`
  const note = notes.length === 0 ? '' : `\n${notes.join('\n')}\n`
  return `Usage ${since} to ${minuteOf(to)} UTC${days}; tokens, USD, median latency\n\n${renderTable([head, ...lines, total], left)}${note}`
}

function lineOf(names: readonly string[], figures: UsageFigures): string[] {
  const { requests, errors, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd } = figures
  return [
    ...names,
    count(requests),
    count(errors),
    count(input_tokens + cache_write_tokens),
    count(cache_read_tokens),
    count(output_tokens),
    cost_usd.toFixed(4),
    figures.compared_requests === 0 ? '–' : figures.cost_avoided_usd.toFixed(4),
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
