import path from 'node:path'
import type { Command } from 'commander'
import { GatewayError } from '../errors.ts'
import { readInstance } from '../instance.ts'
import { typedCall } from '../operations/client.ts'
import { httpClient } from '../operations/http-client.ts'
import type { OperationOutputs } from '../operations/index.ts'
import { dataDirOf } from '../start.ts'
import { readConfig } from './installation.ts'
import { positiveInteger } from './numbers.ts'
import { renderTable } from './table.ts'

interface ReconcileOptions {
  provider?: string
  maxBills: number
  json?: boolean
  dataDir?: string
}

/** Adds `signalbox usage reconcile`. */
export function defineReconcile(usage: Command): void {
  usage
    .command('reconcile')
    .summary('compare the ledger with what OpenRouter billed')
    .description('Compare recorded costs with what OpenRouter billed since the last check.')
    .usage('[options]')
    .option('--provider <name>', 'only this server')
    .option('--max-bills <number>', 'single calls to ask the bill of, at most', positiveInteger, 200)
    .option('--json', 'print the comparison as JSON')
    .option('--data-dir <folder>', 'folder of the ledger (DATA_DIR)')
    .addHelpText(
      'after',
      '\nAsks the running Signalbox of this data directory. The first check is what the next one starts from.',
    )
    .action(reconcile)
}

async function reconcile(options: ReconcileOptions, command: Command): Promise<void> {
  // An option that the parent has too is the parent's.
  const { provider, maxBills, json, dataDir } = { ...options, ...command.optsWithGlobals<ReconcileOptions>() }
  const folder = dataDir === undefined ? dataDirOf(readConfig(process.env)) : path.resolve(dataDir)
  const instance = readInstance(folder)
  if (instance === undefined) {
    throw new GatewayError(
      'upstream_unavailable',
      `No Signalbox runs with ${folder}; start one, since only it can ask.`,
    )
  }
  const call = typedCall(httpClient(instance))
  const found = await call('reconcile_usage', { ...(provider !== undefined && { provider }), max_bills: maxBills })
  process.stdout.write(json === true ? `${JSON.stringify(found)}\n` : found.providers.map(render).join('\n'))
}

function render(checked: OperationOutputs['reconcile_usage']['providers'][number]): string {
  const { provider, from, until, recorded_usd, billed_usd, drift_usd, corrected, models, rows } = checked
  const period = `${provider} from ${from.slice(0, 16).replace('T', ' ')} to ${until.slice(0, 16).replace('T', ' ')} UTC, USD`
  const summary =
    billed_usd === null || drift_usd === null
      ? `recorded ${usd(recorded_usd)}; this is the first check, the next one compares with it`
      : `recorded ${usd(recorded_usd)}, billed ${usd(billed_usd)}, drift ${usd(drift_usd)}`
  const byModel = models.map(each => [
    each.model,
    String(each.attempts),
    usd(each.recorded_usd),
    String(each.checked_attempts),
    usd(each.drift_usd),
  ])
  const behind = rows.map(row => [
    row.request_id,
    row.model,
    usd(row.recorded_usd),
    usd(row.billed_usd),
    row.reason.replaceAll('_', ' '),
  ])
  return [
    `${period}\n${summary}; estimates replaced by bills: ${corrected}\n`,
    renderTable([['model', 'attempts', 'recorded', 'checked', 'drift of these'], ...byModel]),
    ...(rows.length === 0 ? [] : [renderTable([['request', 'model', 'recorded', 'billed', 'why'], ...behind], [1, 4])]),
  ].join('\n')
}

function usd(value: number | null): string {
  return value === null ? '–' : value.toFixed(6)
}
