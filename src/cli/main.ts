import { parseArgs } from 'node:util'
import { ConfigError, coreSettings, renderEnvExample } from '../config.ts'
import { readConfig as readConfigFrom, version } from './installation.ts'
import { providerKinds } from '../providers/index.ts'
import { startReport } from '../proxy/start-report.ts'
import { AlreadyRunning } from '../instance.ts'
import { start } from '../start.ts'

const graceMs = 10_000
const readConfig = () => readConfigFrom(process.env)

const help = `signalbox – a local-first model router

  signalbox serve    answer OpenAI-compatible requests (default)
  signalbox demo     show requests being routed between simulated servers
  signalbox mcp      offer Signalbox to a coding agent over stdio; see signalbox mcp --help
  signalbox settings print every setting with its default, as .env.example
  signalbox --help | --version

Settings come from the environment, from .env and from signalbox.json; .env.example lists them.`

const settingGroups = [
  { title: 'Signalbox', settings: coreSettings },
  ...providerKinds.map(({ label, settings }) => ({ title: label, settings })),
]

/** The command line. Exit codes: 0 ended as asked, 1 failed, 2 a bad argument or setting. */
export async function run(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read what we print has seen enough, as `| head` does.
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  try {
    await runCommand(process.argv.slice(2))
  } catch (error) {
    if (error instanceof AlreadyRunning) {
      process.stdout.write(`${error.message}\n`)
      return
    }
    process.stderr.write(`signalbox: ${explain(error)}\n`)
    process.exitCode = isUsage(error) ? 2 : 1
  }
}

async function runCommand(args: string[]): Promise<void> {
  if (args[0] === 'mcp') {
    const { serveMcp } = await import('./mcp.ts')
    await serveMcp({ args: args.slice(1), readConfig, version: version(), environment: process.env })
    // Nothing is left to do, but a library's idle handle must not keep the agent waiting for our end.
    process.exit(0)
  }
  const { values, positionals } = parseArgs({
    args,
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    allowPositionals: true,
  })
  const [command = 'serve'] = positionals
  if (values.help === true) process.stdout.write(`${help}\n`)
  else if (values.version === true) process.stdout.write(`${version()}\n`)
  else if (command === 'serve') await serve()
  else if (command === 'settings') process.stdout.write(renderEnvExample(settingGroups))
  else if (command === 'demo') await showDemo()
  else throw new ConfigError(`there is no command '${command}'; see signalbox --help`)
}

async function showDemo(): Promise<void> {
  const { demo } = await import('./demo.ts')
  await demo(version(), text => process.stdout.write(text))
}

async function serve(): Promise<void> {
  const running = await start(readConfig(), version(), { readConfig })
  process.stdout.write(startReport(version(), running.url, running.core.inventory.providers))
  const stop = (): void => {
    // A second signal means: now.
    process.once('SIGINT', () => process.exit(130))
    process.once('SIGTERM', () => process.exit(143))
    running.close(graceMs).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`signalbox: ${explain(error)}\n`)
        process.exit(1)
      },
    )
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}

function isUsage(error: unknown): boolean {
  return error instanceof ConfigError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `${message}; is another Signalbox running? Set PORT to use another port.`
  return message
}

if (import.meta.main) await run()
