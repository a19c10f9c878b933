import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import pino, { type Logger } from 'pino'
import { ConfigError, type Config } from './config.ts'
import { createCore, type Core } from './core.ts'
import { createServer } from './proxy/server.ts'
import { isLoopback } from './wire/loopback.ts'

/** A Signalbox that listens. */
export interface Running {
  core: Core
  /** `http://host:port`, without `/v1`. */
  url: string
  close(graceMs: number): Promise<void>
}

/**
 * Starts everything: the core, one look at every server, and the HTTP port. Throws `ConfigError` for a setting that must not
 * be, and the system's error when the port is taken; then nothing is left open.
 */
export async function start(config: Config, version: string, log: Logger = logTo(config)): Promise<Running> {
  const { HOST, PORT, SIGNALBOX_API_KEY } = config.values
  if (!isLoopback(HOST) && SIGNALBOX_API_KEY === undefined) {
    throw new ConfigError(`HOST: ${HOST} opens Signalbox to the network; set SIGNALBOX_API_KEY too, or use 127.0.0.1`)
  }
  const now = () => performance.timeOrigin + performance.now()
  const core = createCore({ config, version, log, now, newId: () => `req_${randomUUID()}` })
  const server = createServer(core)
  const close = async (graceMs: number) => {
    // The gateway first: Fastify waits for its connections, and only the gateway can end the requests on them.
    const closed = server.close()
    await core.close(graceMs)
    await closed
  }
  try {
    await core.inventory.refresh(new AbortController().signal)
    await server.listen({ host: HOST, port: PORT })
  } catch (error) {
    await close(0)
    throw error
  }
  // The vocabulary is read while nobody waits; a request that comes sooner reads it at once.
  void core.tokens.warm()
  const { address, port, family } = server.server.address() as AddressInfo
  return { core, url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`, close }
}

/** Logs go to stderr: stdout belongs to what a command prints. */
function logTo(config: Config): Logger {
  return pino({ level: config.values.LOG_LEVEL, base: null }, pino.destination({ fd: 2, sync: false }))
}
