import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { readEnvironment } from '../../config/config.ts'
import { coreSettings } from '../../config/core-settings.ts'
import { readSettings } from '../../config/setting.ts'
import { createMcpApplication, type McpApplication } from '../../mcp/application.ts'
import { followCore } from '../../mcp/follow.ts'
import { serveMcpStdio } from '../../mcp/stdio.ts'
import { operations } from '../../operations/index.ts'
import { rootOf, version } from '../root.ts'
import { onStopSignal } from '../stop-signals.ts'

export interface AgentOptions {
  environment: Readonly<Record<string, string | undefined>>
  target?: string
  apiKey?: string
  readOnly: boolean
}

const patienceMs = 15_000
/** How long the first message may take to come before the core starts without it. */
const firstMessageMs = 250

/**
 * Serves one agent over stdio until it disconnects. The handshake is answered before the code of the core is loaded, which
 * takes several times as long; what comes meanwhile waits. Throws `ConfigError` for an invalid setting, and what made the
 * core impossible to reach.
 */
export async function serveAgent({ environment, target, apiKey, readOnly }: AgentOptions): Promise<void> {
  const { stdout, written } = takeStdout()
  const { SIGNALBOX_TOOLS } = readSettings(
    { SIGNALBOX_TOOLS: coreSettings.SIGNALBOX_TOOLS },
    readEnvironment(rootOf(environment), environment),
  )
  const now = () => performance.timeOrigin + performance.now()
  const report = (error: unknown) => {
    process.stderr.write(`signalbox mcp: ${(error as Error).message}\n`)
  }
  const following = followCore({
    connect: async () => {
      const { connectToCore } = await import('./core-connection.ts')
      return await connectToCore({
        environment,
        ...(target !== undefined && { target }),
        ...(apiKey !== undefined && { apiKey }),
        receive: application.receive,
      })
    },
    effectOf: name => operations.find(operation => operation.name === name)?.effect,
    patienceMs,
    now,
    onError: report,
  })
  const application: McpApplication = createMcpApplication({
    client: following.client,
    version: version(),
    url: following.url,
    tools: SIGNALBOX_TOOLS,
    readOnly,
    now,
  })
  const ending = new AbortController()
  onStopSignal(() => ending.abort())
  const { signal } = ending
  const start = async () => {
    await Promise.race([written, delay(firstMessageMs, undefined, { signal }).catch(() => undefined)])
    if (!signal.aborted) await following.start()
  }
  const started = start()
  const served = serveMcpStdio({
    factory: application.factory,
    stdin: process.stdin,
    stdout,
    signal,
    ready: started,
    onError: report,
  })
  try {
    await Promise.race([served, started.then(() => served)])
  } finally {
    ending.abort()
    await following.close()
  }
}

/** The real stdout, reserved for JSON-RPC: all other writes to stdout go to stderr from now on. */
function takeStdout(): { stdout: Writable; written: Promise<void> } {
  const real = process.stdout
  const write = real.write.bind(real)
  real.write = process.stderr.write.bind(process.stderr)
  const written = Promise.withResolvers<void>()
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      write(chunk, error => {
        written.resolve()
        done(error)
      })
    },
  })
  // Each answer that waits for the client to read listens until then.
  stdout.setMaxListeners(0)
  real.on('error', error => stdout.destroy(error))
  return { stdout, written: written.promise }
}
