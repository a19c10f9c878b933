import path from 'node:path'
import type { Command } from 'commander'
import type { Core } from '../core.ts'
import { AlreadyRunning } from '../instance.ts'
import { startReport } from '../proxy/start-report.ts'
import { nameReport } from '../router/name-report.ts'
import { policyOf } from '../router/policy.ts'
import { start } from '../start.ts'
import { readConfig } from './installation.ts'
import { version } from './root.ts'
import { onStopSignal } from './stop-signals.ts'

/** Time for requests in progress to finish after the first stop signal. */
const graceMs = 10_000

interface ServeOptions {
  port?: string
  host?: string
  dataDir?: string
}

export function define(command: Command): void {
  command
    .description('Answer requests for OpenAI, Anthropic and MCP clients on one port until Ctrl-C.')
    .option('--port <number>', 'port to listen on, 0 for a free one (PORT; default 3001)')
    .option('--host <address>', 'address to listen on (HOST; default 127.0.0.1)')
    .option('--data-dir <folder>', 'folder of the ledger and other data (DATA_DIR)')
    .addHelpText(
      'after',
      `
An option wins over the variable in brackets, which wins over .env. Any address other than loopback requires
SIGNALBOX_API_KEY. Ctrl-C waits up to ${graceMs / 1000} seconds for running requests; a second one ends at once.

Example:
  signalbox serve --port 3002 --data-dir ~/signalbox-data`,
    )
    .action(serve)
}

async function serve({ port, host, dataDir }: ServeOptions): Promise<void> {
  const variables = {
    ...process.env,
    ...(port !== undefined && { PORT: port }),
    ...(host !== undefined && { HOST: host }),
    // A path on the command line is relative to the working directory; one in a setting is relative to the root.
    ...(dataDir !== undefined && { DATA_DIR: path.resolve(dataDir) }),
  }
  const read = () => readConfig(variables)
  try {
    const running = await start(read(), version(), { readConfig: read })
    onStopSignal(() => {
      process.stderr.write(stopNotice(running.core))
      running.close(graceMs).then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`signalbox: ${(error as Error).message}\n`)
          process.exit(1)
        },
      )
    })
    const { inventory, config } = running.core
    const { values } = config()
    const names = nameReport(inventory.models(), values.MODEL_ALIASES, policyOf(values))
    // Only now: who reads it may send a signal at once.
    process.stdout.write(startReport(version(), running.url, inventory.providers(), names))
  } catch (error) {
    if (!(error instanceof AlreadyRunning)) throw error
    process.stdout.write(`${error.message}\n`)
  }
}

/** What the first Ctrl-C waits for; empty if no request is in progress. */
function stopNotice({ gateway }: Core): string {
  const requests = gateway.active()
  if (requests === 0) return ''
  const what = requests === 1 ? '1 request' : `${requests} requests`
  return `Stopping: waiting up to ${graceMs / 1000} s for ${what}. Press Ctrl-C again to end now.\n`
}
