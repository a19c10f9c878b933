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
import { emptyEvidence } from './router/evidence.ts'
import { createKnowledge } from './router/knowledge.ts'
import { standardPolicy } from './router/policy.ts'
import { loadWeights } from './router/weights.ts'
import { modelTask } from './tasks/model-task.ts'
import { createTasks, type Tasks } from './tasks/tasks.ts'
import { createTokenCounter, type TokenCounter } from './tokens/counter.ts'

/** Everything that lives as long as the process. */
export interface Core {
  readonly config: Config
  readonly version: string
  readonly log: Logger
  readonly ledger: Ledger
  readonly inventory: Inventory
  readonly gateway: Gateway
  readonly tasks: Tasks
  readonly tokens: TokenCounter
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly startedAt: number
  readonly newId: NewId
  readonly slotsOf: (provider: string) => Slots
  /** What kind of server a provider is, as `signalbox.json` writes it. */
  readonly kindOf: (provider: string) => string | undefined
  /** The folder that Signalbox itself lies in. */
  readonly installation: string
  /** What the settings say now; throws `ConfigError`. */
  readonly readConfig: () => Config
  /** Applies settings to everything that is built. Those marked `atStart` must be the same as before. */
  readonly reconfigure: (next: Config) => void
  /** Lets requests under way end within `graceMs`, then aborts them, writes the books and closes every connection. */
  close(graceMs: number): Promise<void>
}

export interface CoreParts {
  config: Config
  version: string
  log: Logger
  now: () => number
  newId: NewId
  readConfig: () => Config
}

/** Makes an id that no other has; the prefix says of what. */
export type NewId = (prefix: 'req' | 'task' | 'job') => string

/** Builds the core; it has asked no server yet: `inventory.refresh` does. */
export function createCore({ config, version, log, now, newId, readConfig }: CoreParts): Core {
  let current = config
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
        get slots() {
          const { PROVIDER_MAX_CONCURRENT_LOCAL, PROVIDER_MAX_CONCURRENT_REMOTE } = current.values
          return tier === 'local' ? PROVIDER_MAX_CONCURRENT_LOCAL : PROVIDER_MAX_CONCURRENT_REMOTE
        },
        get queueLimit() {
          return current.values.PROVIDER_QUEUE_LIMIT
        },
        get queueTimeoutMs() {
          return current.values.PROVIDER_QUEUE_TIMEOUT_MS
        },
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
      get firstTokenMs() {
        return current.values.PROVIDER_TIMEOUT_MS
      },
      get idleMs() {
        return current.values.PROVIDER_IDLE_TIMEOUT_MS
      },
      get totalMs() {
        return current.values.PROVIDER_TOTAL_TIMEOUT_MS
      },
    },
    knowledge: createKnowledge(loadWeights().weights, emptyEvidence(), {
      ...standardPolicy,
      explorationShare: 0,
      get freeOnly() {
        return current.values.OPENROUTER_FREE_ONLY
      },
    }),
    random: Math.random,
    get aliases() {
      return current.values.MODEL_ALIASES
    },
    countTokens: ({ messages, tools }) => tokens.countMessages(messages, tools),
    now,
  })
  const tasks = createTasks({
    book: ledger.tasks,
    works: {
      route_task: modelTask({ gateway, strategyOf: ledger.notes.strategy, now, newRequestId: () => newId('req') }),
    },
    // A provider that went away with its setting still holds a place in line; the gateway then says what is wrong.
    limitOf: provider => slots.get(provider)?.limits().slots ?? 1,
    now,
    newId,
    log,
    retentionMs: () => current.values.TASK_RETENTION_DAYS * 86_400_000,
  })

  return {
    get config() {
      return current
    },
    version,
    log,
    ledger,
    inventory,
    gateway,
    tasks,
    tokens,
    now,
    startedAt: now(),
    newId,
    slotsOf,
    kindOf: provider => current.endpoints.find(({ name }) => name === provider)?.kind,
    installation: path.resolve(import.meta.dirname, '..'),
    readConfig,
    reconfigure(next) {
      current = next
      log.level = next.values.LOG_LEVEL
    },
    async close(graceMs) {
      await tasks.close()
      await gateway.close(graceMs)
      await inventory.close()
      await transport.close()
      tokens.close()
      await ledger.close()
    },
  }
}
