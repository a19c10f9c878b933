import { randomBytes, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import pino, { type DestinationStream, type Logger } from 'pino'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/setting.ts'
import { createCore, type Core, type NewId } from './core.ts'
import { maxCorrectionAgeMs } from './gateway/corrections.ts'
import { AlreadyRunning, claimInstance, readInstance } from './instance.ts'
import { mountMcpLazily } from './mcp/http.ts'
import { selectTools } from './mcp/select-tools.ts'
import { inProcessClient, typedCall, type Client } from './operations/client.ts'
import { operations } from './operations/index.ts'
import { registerLiveSocket } from './operations/live-socket.ts'
import { createLiveFeed, watchNews } from './operations/live.ts'
import type { Principal } from './operations/operation.ts'
import { registerOperations } from './operations/routes.ts'
import { tracedClient } from './operations/traced-client.ts'
import { registerApiReference } from './proxy/openapi/routes.ts'
import { registerMetricsRoute } from './proxy/metrics.ts'
import { createServer } from './proxy/server.ts'
import { isOpenToOthers } from './private-files.ts'
import { redact } from './redact.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { openTracesFor, startTelemetry } from './telemetry/telemetry.ts'
import type { Traces } from './telemetry/traces.ts'
import { watchSettings } from './watch-settings.ts'
import { hostInUrl, isLoopback } from './net.ts'

/** A running Signalbox. */
export interface Running {
  core: Core
  /** `http://host:port`, without `/v1`. */
  url: string
  close(graceMs: number): Promise<void>
}

export interface StartOptions {
  log?: Logger
  /** Reads the current settings; throws `ConfigError`. With it, changes to the settings files apply while running. */
  readConfig?: () => Config
  /** A number in [0, 1) for the router's random choices. */
  random?: () => number
  /** Milliseconds since the epoch. */
  now?: () => number
}

/** Time for the last bytes to reach their readers when everything else is closed. */
const lastBytesMs = 500
const settingsLookMs = 500

/**
 * Starts everything: the core, a first refresh of every server, and the HTTP port. Throws `ConfigError` for an invalid
 * setting, `AlreadyRunning` if another process uses the data directory, and the system's error if the port is taken; then
 * nothing is left open.
 */
export async function start(config: Config, version: string, options: StartOptions = {}): Promise<Running> {
  const { log = createLog(config.values.LOG_LEVEL), readConfig, random = Math.random, now = steadyTime } = options
  const {
    HOST,
    PORT,
    SIGNALBOX_API_KEY,
    SIGNALBOX_ADMIN_KEY,
    LOCK_FILE_CHECK_ACTIVE_PROCESS,
    REMOVE_STALE_LOCK_FILES,
    WEBHOOK_URL,
    WEBHOOK_SECRET,
  } = config.values
  if (WEBHOOK_URL !== undefined && WEBHOOK_SECRET === undefined) {
    throw new ConfigError(
      'WEBHOOK_SECRET: set it together with WEBHOOK_URL, so that receivers can tell who sent an event',
    )
  }
  const dataDir = dataDirOf(config)
  const claim = claimInstance(dataDir, {
    checkActiveProcess: LOCK_FILE_CHECK_ACTIVE_PROCESS,
    removeStale: REMOVE_STALE_LOCK_FILES,
  })
  if (claim === undefined) throw new AlreadyRunning(readInstance(dataDir))
  if (isOpenToOthers(dataDir)) {
    log.warn(`Other users of this machine may enter DATA_DIR. To keep them out: chmod -R go-rwx '${dataDir}'`)
  }
  const undo: (() => unknown)[] = [claim.release]
  try {
    const newId: NewId = prefix => `${prefix}_${randomUUID()}`
    const traces = await openTracesFor(config.values, version, log)
    undo.unshift(() => traces?.close())
    const core = createCore({
      config,
      version,
      log,
      now,
      random,
      newId,
      readConfig: readConfig ?? (() => config),
      startTrace: traces?.startRequest,
    })
    undo.unshift(() => core.close(0))
    await core.accounting.load()
    await core.accounting.recover(now() - maxCorrectionAgeMs)
    const isOpen =
      SIGNALBOX_API_KEY === undefined && SIGNALBOX_ADMIN_KEY === undefined && !core.accounting.apiKeys.exist()
    if (isOpen && !isLoopback(HOST)) {
      throw new ConfigError(
        `HOST: ${HOST} opens Signalbox to the network; set SIGNALBOX_API_KEY or create a key (signalbox keys create), or use 127.0.0.1`,
      )
    }
    const token = randomBytes(32).toString('hex')
    let url = ''
    const client = inProcessClient(operations, core, (err, operation) => {
      log.error({ err, operation }, 'unexpected failure')
    })
    const telemetry = await startTelemetry(core, random)
    undo.unshift(() => telemetry.close())
    const server = createApplication({ core, client, token, url: () => url, metrics: telemetry.metrics, traces })
    undo.unshift(() => server.close())
    await core.inventory.refresh(new AbortController().signal)
    core.tasks.recover()
    await server.listen({ host: HOST, port: PORT })
    url = urlOf(server)
    claim.announce({ url, token, version })
    // Loads the vocabulary in the background; a request that comes sooner loads it at once.
    void core.tokens.warm()
    const unwatchSettings =
      readConfig &&
      watchSettings({
        root: config.root,
        intervalMs: settingsLookMs,
        onWritten: () => void takeUpSettings(core, client),
      })
    return {
      core,
      url,
      async close(graceMs) {
        unwatchSettings?.()
        // The gateway first: Fastify waits for its connections, and only the gateway can end the requests on them.
        const closed = server.close()
        await core.close(graceMs)
        await telemetry.close()
        await traces?.close()
        // Connections whose last answer ended only now would be kept alive, and waited for, for another minute.
        server.server.closeIdleConnections()
        const cut = setTimeout(() => server.server.closeAllConnections(), lastBytesMs)
        await closed
        clearTimeout(cut)
        claim.release()
      },
    }
  } catch (error) {
    for (const step of undo) await step()
    throw error
  }
}

/** Milliseconds since the epoch; unlike the system clock it never jumps. */
const steadyTime = () => performance.timeOrigin + performance.now()

/** The data directory of a configuration. */
export function dataDirOf({ root, values }: Config): string {
  return path.resolve(root, values.DATA_DIR)
}

interface ApplicationParts {
  core: Core
  client: Client
  /** Lets other processes of the same user in. */
  token: string
  url: () => string
  metrics: Metrics | undefined
  traces: Traces | undefined
}

/** Everything served on the port. */
function createApplication({ core, client, token, url, metrics, traces }: ApplicationParts): FastifyInstance {
  const { SIGNALBOX_TOOLS, MCP_SESSION_LIMIT, MCP_SESSIONS_PER_KEY, MCP_SESSION_IDLE_MS } = core.config().values
  const server = createServer(core, token)
  const authorize = ({ principal }: FastifyRequest): Principal => principal
  if (metrics !== undefined) registerMetricsRoute(server, metrics)
  registerOperations(server, { operations, client, authorize })
  registerApiReference(server, { version: core.version, operations })
  const live = createLiveFeed(core)
  registerLiveSocket(server.webSockets, (send, { principal }) => live.watch(principal, send))
  // Report an invalid selection at start, not when the first agent connects.
  selectTools(SIGNALBOX_TOOLS, operations)
  mountMcpLazily(server, { authorize }, async () => {
    const { createMcpApplication } = await import('./mcp/application.ts')
    const { factory, bus, receive } = createMcpApplication({
      client: traces === undefined ? client : tracedClient(client, traces),
      version: core.version,
      url,
      tools: SIGNALBOX_TOOLS,
      readOnly: false,
      now: core.now,
    })
    watchNews(core, receive)
    return {
      factory,
      bus,
      // Host and Origin were checked before, for every route.
      allowedHosts: 'any',
      sessionLimit: MCP_SESSION_LIMIT,
      sessionsPerKey: MCP_SESSIONS_PER_KEY,
      sessionIdleMs: MCP_SESSION_IDLE_MS,
      onError: err => {
        core.log.debug({ err }, 'MCP')
      },
    }
  })
  return server
}

/** The result of editing the settings files, logged at a level that is shown by default. */
async function takeUpSettings({ log, inventory }: Core, client: Client): Promise<void> {
  try {
    const { changed } = await typedCall(client)('reload_config')
    if (changed.length === 0) return
    const servers = inventory.providers().map(provider => {
      const { state, reason } = provider.health()
      return `${provider.name}: ${reason ?? `${state}, ${provider.models().length} models`}`
    })
    log.warn({ changed, servers }, 'settings reloaded')
  } catch (error) {
    log.error(
      { reason: (error as Error).message },
      'settings not reloaded: fix the reported error; the previous settings stay in force',
    )
  }
}

function urlOf(server: FastifyInstance): string {
  const { address, port } = server.server.address() as AddressInfo
  return `http://${hostInUrl(address)}:${port}`
}

/** Logs go to stderr: stdout is for the output of commands. */
export function createLog(level: string, target: DestinationStream = pino.destination({ fd: 2, sync: false })): Logger {
  return pino({ level, base: null, serializers: { err: withoutSecrets } }, target)
}

const maxLoggedChars = 8_000

/** An error for the log. An unexpected one may quote anything: a URL with its password, a line of a file. */
function withoutSecrets(error: Error): Record<string, unknown> {
  const { type, message, stack } = pino.stdSerializers.err(error)
  const { code } = error as { code?: unknown }
  return {
    type,
    message: redact(message, maxLoggedChars),
    stack: redact(stack, maxLoggedChars),
    ...(typeof code === 'string' && { code }),
  }
}
