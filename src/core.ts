import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { createBreakers } from './gateway/breakers.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import { createInventory, type Inventory } from './gateway/inventory.ts'
import { createSlots, type Slots } from './gateway/slots.ts'
import { openLedger, type Ledger } from './ledger/ledger.ts'
import { createProviders } from './providers/index.ts'
import { createTransport } from './providers/transport.ts'
import { createTokenCounter, type TokenCounter } from './tokens/counter.ts'

/** Everything that lives as long as the process. */
export interface Core {
  readonly config: Config
  readonly version: string
  readonly log: Logger
  readonly ledger: Ledger
  readonly inventory: Inventory
  readonly gateway: Gateway
  readonly tokens: TokenCounter
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly startedAt: number
  readonly newId: () => string
  readonly slotsOf: (provider: string) => Slots
  /** Lets requests under way end within `graceMs`, then aborts them, writes the books and closes every connection. */
  close(graceMs: number): Promise<void>
}

export interface CoreParts {
  config: Config
  version: string
  log: Logger
  now: () => number
  newId: () => string
}

/** Builds the core; it has asked no server yet: `inventory.refresh` does. */
export function createCore({ config, version, log, now, newId }: CoreParts): Core {
  const { values } = config
  const dataDir = path.resolve(config.root, values.DATA_DIR)
  mkdirSync(dataDir, { recursive: true })
  const ledger = openLedger({ file: path.join(dataDir, 'ledger.db'), now, log })
  const tokens = createTokenCounter()
  const transport = createTransport({
    connectTimeoutMs: values.PROVIDER_CONNECT_TIMEOUT_MS,
    httpProxy: values.HTTP_PROXY,
    httpsProxy: values.HTTPS_PROXY,
    noProxy: values.NO_PROXY,
  })
  const providers = createProviders(config.endpoints, { transport, now })
  const inventory = createInventory({
    providers,
    probeIntervalMs: values.PROVIDER_HEALTH_PROBE_INTERVAL_MS,
    now,
    log,
  })
  const slots = new Map(
    providers.map(({ name, tier }) => [
      name,
      createSlots(name, {
        slots: tier === 'local' ? values.PROVIDER_MAX_CONCURRENT_LOCAL : values.PROVIDER_MAX_CONCURRENT_REMOTE,
        queueLimit: values.PROVIDER_QUEUE_LIMIT,
        queueTimeoutMs: values.PROVIDER_QUEUE_TIMEOUT_MS,
      }),
    ]),
  )
  const slotsOf = (provider: string): Slots => {
    const found = slots.get(provider)
    if (found === undefined) throw new Error(`no provider is called ${provider}`)
    return found
  }
  const gateway = createGateway({
    inventory,
    breakers: createBreakers(now),
    ledger,
    slotsOf,
    timeouts: {
      firstTokenMs: values.PROVIDER_TIMEOUT_MS,
      idleMs: values.PROVIDER_IDLE_TIMEOUT_MS,
      totalMs: values.PROVIDER_TOTAL_TIMEOUT_MS,
    },
    aliases: values.MODEL_ALIASES,
    policy: { freeOnly: values.OPENROUTER_FREE_ONLY },
    countTokens: ({ messages, tools }) => tokens.countMessages(messages, tools),
    countText: text => tokens.countText(text),
    now,
  })

  return {
    config,
    version,
    log,
    ledger,
    inventory,
    gateway,
    tokens,
    now,
    startedAt: now(),
    newId,
    slotsOf,
    async close(graceMs) {
      await gateway.close(graceMs)
      await inventory.close()
      await transport.close()
      tokens.close()
      await ledger.close()
    },
  }
}
