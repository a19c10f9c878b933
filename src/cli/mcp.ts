import { Writable } from 'node:stream'
import type { Command } from 'commander'
import { ConfigError, type Config } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { AlreadyRunning, type Instance } from '../instance.ts'
import { attach } from '../mcp/attach.ts'
import { createMcpApplication, type McpApplication } from '../mcp/application.ts'
import { followCore, NotYet, type Connection } from '../mcp/follow.ts'
import { serveMcpStdio } from '../mcp/stdio.ts'
import { inProcessClient } from '../operations/client.ts'
import { operations } from '../operations/index.ts'
import { watchNews } from '../operations/live.ts'
import { start } from '../start.ts'
import { readConfig as readConfigFrom, version } from './installation.ts'
import { onStopSignal } from './stop-signals.ts'

const graceMs = 2_000
const patienceMs = 15_000

interface McpOptions {
  target?: string
  apiKey?: string
  readOnly?: boolean
}

export function define(command: Command): void {
  command
    .description('Serve a coding agent as an MCP server over stdio. The agent starts this command.')
    .option('--target <url>', 'use the Signalbox at this address (SIGNALBOX_TARGET)')
    .option('--api-key <key>', 'the API key to send there (SIGNALBOX_API_KEY)')
    .option('--read-only', 'offer only tools that change nothing')
    .addHelpText(
      'after',
      `
Without --target, the first instance on a data directory runs Signalbox itself, HTTP included. Later ones use
that one, and when it ends one of them takes over. A URL works too: http://127.0.0.1:3001/mcp.

SIGNALBOX_ROOT is the folder of .env, signalbox.json and the data; agents with the same one share a Signalbox.
SIGNALBOX_TOOLS=core, or tool names separated by commas, limits the tools that the agent sees.
Only JSON-RPC is written to stdout; logs go to stderr. It ends when stdin does.

Example, .mcp.json of Claude Code (docs/mcp.md has a block for each agent):
  { "mcpServers": { "signalbox": { "command": "signalbox", "args": ["mcp"] } } }`,
    )
    .action(async (options: McpOptions) => {
      await serveMcp(options)
      // An idle handle of a library must not delay our exit.
      process.exit(0)
    })
}

/** Serves one agent until it disconnects. Throws `ConfigError` for an invalid argument or setting. */
async function serveMcp(options: McpOptions): Promise<void> {
  const environment = process.env
  const readConfig = () => readConfigFrom(environment)
  const stdout = takeStdout()
  const config = readConfig()
  const target = options.target ?? environment['SIGNALBOX_TARGET']
  const now = () => performance.timeOrigin + performance.now()
  const report = (error: unknown) => {
    process.stderr.write(`signalbox mcp: ${(error as Error).message}\n`)
  }
  const following = followCore({
    connect: async () =>
      target === undefined
        ? await ownOrAttach({ version: version(), readConfig, application })
        : await attach({
            url: targetUrl(target),
            ...tokenOf(options.apiKey ?? environment['SIGNALBOX_API_KEY']),
            receive: application.receive,
          }),
    effectOf: name => operations.find(operation => operation.name === name)?.effect,
    patienceMs,
    now,
    onError: report,
  })
  const application: McpApplication = createMcpApplication({
    client: following.client,
    version: version(),
    url: following.url,
    tools: config.values.SIGNALBOX_TOOLS,
    readOnly: options.readOnly ?? false,
    now,
  })
  const ending = new AbortController()
  onStopSignal(() => ending.abort())
  try {
    await following.start()
    await serveMcpStdio({
      factory: application.factory,
      stdin: process.stdin,
      stdout,
      signal: ending.signal,
      onError: report,
    })
  } finally {
    await following.close()
  }
}

interface OwnParts {
  version: string
  readConfig: () => Config
  application: McpApplication
}

/** Runs the core of the data directory in this process, or connects to the one that another process runs. */
async function ownOrAttach({ version, readConfig, application }: OwnParts): Promise<Connection> {
  try {
    // Read again: a successor takes over long after its own start, and the settings may have changed since.
    const running = await start(readConfig(), version, { readConfig })
    const { core, url } = running
    const unwatch = watchNews(core, application.receive)
    return {
      client: inProcessClient(operations, core, (err, operation) => {
        core.log.error({ err, operation }, 'unexpected failure')
      }),
      url,
      gone: new Promise(() => undefined),
      close: async () => {
        unwatch()
        await running.close(graceMs)
      },
    }
  } catch (error) {
    if (!(error instanceof AlreadyRunning)) throw error
    if (error.instance === undefined) throw new NotYet(error.message)
    return await attachTo(error.instance, application)
  }
}

async function attachTo({ url, token }: Instance, { receive }: McpApplication): Promise<Connection> {
  try {
    return await attach({ url, token, receive })
  } catch (error) {
    // The announced instance has ended; another one takes over and announces its own address and token.
    if (error instanceof GatewayError) throw new NotYet(error.message)
    throw error
  }
}

function targetUrl(target: string): string {
  if (!/^https?:\/\//.test(target) || !URL.canParse(target)) {
    throw new ConfigError(`--target: ${target} is not an address such as http://127.0.0.1:3001`)
  }
  return target
}

/** A key may have a name, as in SIGNALBOX_API_KEY. */
function tokenOf(key: string | undefined): { token?: string } {
  const first = key?.split(',')[0]
  return first === undefined ? {} : { token: first.slice(first.indexOf('=') + 1) }
}

/** The real stdout, reserved for JSON-RPC: all other writes to stdout go to stderr from now on. */
function takeStdout(): Writable {
  const real = process.stdout
  const write = real.write.bind(real)
  real.write = process.stderr.write.bind(process.stderr)
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      write(chunk, done)
    },
  })
  real.on('error', error => stdout.destroy(error))
  return stdout
}
