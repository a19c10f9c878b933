import { Writable } from 'node:stream'
import { parseArgs } from 'node:util'
import { ConfigError, type Config } from '../config.ts'
import { AlreadyRunning } from '../instance.ts'
import { attach } from '../mcp/attach.ts'
import { createMcpApplication, type McpApplication } from '../mcp/application.ts'
import { followCore, NotYet, type Connection } from '../mcp/follow.ts'
import { serveMcpStdio } from '../mcp/stdio.ts'
import { inProcessClient } from '../operations/client.ts'
import { operations } from '../operations/index.ts'
import { watchNews } from '../operations/live.ts'
import { start } from '../start.ts'

const mcpHelp = `signalbox mcp – offer Signalbox to a coding agent as an MCP server over stdio

  signalbox mcp [--read-only]
      The first one on a data directory runs Signalbox itself, HTTP included. Later ones use that one, and when it ends,
      one of them takes its place.
  signalbox mcp --target URL [--api-key KEY] [--read-only]
      Use the Signalbox that runs at URL. Also SIGNALBOX_TARGET and SIGNALBOX_API_KEY.

  --target URL   where Signalbox runs, such as http://127.0.0.1:3001
  --api-key KEY  the key to show there
  --read-only    show and allow only what changes nothing

An agent starts it by itself. Give yours this command, for example in .mcp.json for Claude Code:
  { "mcpServers": { "signalbox": { "command": "<node>", "args": ["<this program>", "mcp"] } } }
or the URL of a Signalbox that runs, http://127.0.0.1:3001/mcp. The README has a block for each agent.

Settings are those of signalbox serve. SIGNALBOX_ROOT names the folder of .env, signalbox.json and the data, which is this program's own
otherwise; agents with the same one share one Signalbox. SIGNALBOX_TOOLS=core, or names separated by commas, limits what an agent is
shown. What is written into .env applies while it runs: with OPENROUTER_API_KEY, OpenRouter's tools appear.

Only JSON-RPC is written to stdout; logs go to stderr (LOG_LEVEL). It ends when stdin does.`

const graceMs = 2_000
const patienceMs = 15_000

export interface ServeMcpOptions {
  args: string[]
  readConfig: () => Config
  version: string
  environment: Readonly<Record<string, string | undefined>>
}

/** Serves one agent until it goes away. Throws `ConfigError` for a bad argument or setting. */
export async function serveMcp({ args, readConfig, version, environment }: ServeMcpOptions): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      target: { type: 'string' },
      'api-key': { type: 'string' },
      'read-only': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) {
    process.stdout.write(`${mcpHelp}\n`)
    return
  }
  const stdout = takeStdout()
  const config = readConfig()
  const target = values.target ?? environment['SIGNALBOX_TARGET']
  const now = () => performance.timeOrigin + performance.now()
  const report = (error: unknown) => {
    process.stderr.write(`signalbox mcp: ${(error as Error).message}\n`)
  }
  const following = followCore({
    connect: async () =>
      target === undefined
        ? await ownOrAttach({ version, readConfig, application })
        : await attach({
            url: targetUrl(target),
            ...tokenOf(values['api-key'] ?? environment['SIGNALBOX_API_KEY']),
            receive: application.receive,
          }),
    effectOf: name => operations.find(operation => operation.name === name)?.effect,
    patienceMs,
    now,
    onError: report,
  })
  const application: McpApplication = createMcpApplication({
    client: following.client,
    version,
    url: following.url,
    tools: config.values.SIGNALBOX_TOOLS,
    readOnly: values['read-only'] ?? false,
    now,
  })
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort())
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

/** Runs the core of the data directory here, or uses the one that another process runs. */
async function ownOrAttach({ version, readConfig, application }: OwnParts): Promise<Connection> {
  try {
    // Read anew: an heir takes over long after it was started, and the one before it may have been given other settings.
    const running = await start(readConfig(), version, { readConfig })
    const { core, url } = running
    const unwatch = watchNews(core, application.receive)
    return {
      client: inProcessClient(operations, core, (err, operation) => {
        core.log.error({ err, operation }, 'unforeseen failure')
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
    return await attach({ url: error.instance.url, token: error.instance.token, receive: application.receive })
  }
}

function targetUrl(target: string): string {
  if (!/^https?:\/\//.test(target) || !URL.canParse(target)) {
    throw new ConfigError(`--target: ${target} is not an address such as http://127.0.0.1:3001`)
  }
  return target
}

/** One key may be written with its name, as in SIGNALBOX_API_KEY. */
function tokenOf(key: string | undefined): { token?: string } {
  const first = key?.split(',')[0]
  return first === undefined ? {} : { token: first.slice(first.indexOf('=') + 1) }
}

/** The real stdout, for JSON-RPC alone: whatever else writes to stdout from now on is sent to stderr. */
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
