import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { Config, Endpoint } from './config.ts'
import { GatewayError } from './errors.ts'
import { createBreakers } from './gateway/breakers.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import { createLearner, type Learner, type RatioFact } from './gateway/learner.ts'
import { createInventory, type Inventory } from './gateway/inventory.ts'
import { createSlots, type Slots } from './gateway/slots.ts'
import type { PromptingStrategy } from './ledger/agent-notes.ts'
import { openLedger, type Ledger } from './ledger/ledger.ts'
import { createProviders } from './providers/index.ts'
import { createTransport } from './providers/http/transport.ts'
import { evidenceFrom, type EvidenceRow } from './router/evidence.ts'
import { createKnowledge, type Knowledge } from './router/knowledge.ts'
import { policyOf } from './router/policy.ts'
import { loadWeights } from './router/weights.ts'
import { openResults, type ResultStore } from './bench/results.ts'
import { openSandbox } from './bench/sandbox/sandbox.ts'
import { openSearch, type Search } from './search/search.ts'
import { createBenchmarkFeed } from './tasks/benchmark-feed.ts'
import { benchmarkHandler } from './tasks/benchmark.ts'
import { modelTaskHandler } from './tasks/model-task.ts'
import { createTasks, type Tasks } from './tasks/tasks.ts'
import { createTokenCounter, type TokenCounter } from './tokens/counter.ts'
import { createTokenRatios } from './tokens/ratio.ts'

/** Everything that lives as long as the process. */
export interface Core {
  readonly config: Config
  readonly version: string
  readonly log: Logger
  readonly ledger: Ledger
  readonly inventory: Inventory
  readonly gateway: Gateway
  readonly learner: Learner
  readonly tasks: Tasks
  /** Opened when it is first needed; throws `unsupported` where it is switched off. */
  readonly codeSearch: () => Search
  readonly benchmarkResults: () => ResultStore
  /** How tasks are put to a model: a strategy that was set for it and that benchmarks found better than none. */
  readonly strategyInUse: (model: string) => PromptingStrategy | undefined
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
  /**
   * Applies settings to everything that is built. Those marked `atStart` must be the same as before. They count from the call
   * on; the promise settles when the servers that are new were asked what they serve. Throws `ConfigError`, having done nothing.
   */
  readonly reconfigure: (next: Config) => Promise<void>
  /** Calls back after other settings were applied, until the returned function is called. */
  readonly watchConfig: (listener: () => void) => () => void
  /** Lets requests under way end within `graceMs`, then aborts them, writes the books and closes every connection. */
  close(graceMs: number): Promise<void>
}

export interface CoreParts {
  config: Config
  version: string
  log: Logger
  now: () => number
  /** A number in [0, 1): what the router leaves to chance. */
  random: () => number
  newId: NewId
  readConfig: () => Config
}

/** Makes an id that no other has; the prefix says of what. */
export type NewId = (prefix: 'req' | 'task' | 'job') => string

/** Builds the core; it has asked no server yet: `inventory.refresh` does. */
export function createCore({ config, version, log, now, random, newId, readConfig }: CoreParts): Core {
  let current = config
  let policy = policyOf(config.values)
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
  const providerParts = { transport, now }
  const providers = createProviders(config.endpoints, providerParts)
  const inventory = createInventory({
    providers,
    probeIntervalMs: values.PROVIDER_HEALTH_PROBE_INTERVAL_MS,
    now,
    log,
  })
  const tierOf = (name: string) => inventory.providers.find(provider => provider.name === name)?.tier
  // Those of a provider that was taken out stay: requests may hold them, and it may come back.
  const slots = new Map<string, Slots>()
  const slotsOf = (provider: string): Slots => {
    let found = slots.get(provider)
    if (found === undefined) {
      found = createSlots(provider, {
        get slots() {
          const { PROVIDER_MAX_CONCURRENT_LOCAL, PROVIDER_MAX_CONCURRENT_REMOTE } = current.values
          return tierOf(provider) === 'remote' ? PROVIDER_MAX_CONCURRENT_REMOTE : PROVIDER_MAX_CONCURRENT_LOCAL
        },
        get queueLimit() {
          return current.values.PROVIDER_QUEUE_LIMIT
        },
        get queueTimeoutMs() {
          return current.values.PROVIDER_QUEUE_TIMEOUT_MS
        },
      })
      slots.set(provider, found)
    }
    return found
  }
  const loaded = loadWeights()
  if (loaded.weights === undefined) log.warn(loaded.problem)
  // The ledger stores facts as plain data and does not know what they mean; only the learner wrote them.
  const facts = ledger.learned.load() as (EvidenceRow | RatioFact)[]
  const ratios = createTokenRatios()
  ratios.restore(facts.flatMap(fact => (fact.kind === 'ratio' ? [fact.value] : [])))
  const evidence = evidenceFrom(facts.filter(fact => fact.kind !== 'ratio'))
  const fixed = createKnowledge(loaded.weights, evidence, policy, model => ratios.ratioOf(model.id))
  const knowledge: Knowledge = {
    ...fixed,
    get policy() {
      return policy
    },
  }
  const learner = createLearner({ knowledge, ratios, save: ledger.learned.save, now, log })
  const breakers = createBreakers(now)
  const gateway = createGateway({
    inventory,
    breakers,
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
    get aliases() {
      return current.values.MODEL_ALIASES
    },
    knowledge,
    learner,
    random,
    countTokens: ({ messages, tools }) => tokens.countMessages(messages, tools),
    countText: text => tokens.countText(text),
    get testCommands() {
      return current.values.VERIFY_COMMANDS
    },
    get testTimeoutMs() {
      return current.values.VERIFY_COMMAND_TIMEOUT_MS
    },
    now,
  })
  const codeSearch = once(() => {
    if (!values.CODE_SEARCH_ENABLED) {
      throw new GatewayError('unsupported', 'Code search is switched off (CODE_SEARCH_ENABLED).')
    }
    return openSearch({
      dataDir,
      allowedRoots: values.CODE_SEARCH_ROOTS?.split(path.delimiter) ?? [homedir()],
      excludePatterns: values.CODE_SEARCH_EXCLUDE_PATTERNS,
      indexOnStart: values.CODE_SEARCH_INDEX_ON_START,
      reindexIntervalSeconds: values.CODE_SEARCH_REINDEX_INTERVAL,
      watch: true,
      now,
      countTokens: text => tokens.countText(text).tokens,
      log,
    })
  })
  // Whoever indexed something before wants it fresh; whoever never did should not pay for it.
  if (values.CODE_SEARCH_ENABLED && existsSync(path.join(dataDir, 'search'))) codeSearch.get()
  const sandbox = once(openSandbox)
  const resultsFile = path.resolve(config.root, values.BENCHMARK_RESULTS_PATH, 'benchmarks.db')
  const benchmarkResults = once(() => {
    mkdirSync(path.dirname(resultsFile), { recursive: true })
    return openResults(resultsFile)
  })
  const measuredBefore = () => (existsSync(resultsFile) ? benchmarkResults.get() : undefined)
  const benchmarkFeed = createBenchmarkFeed({
    results: measuredBefore,
    learn: ({ model, category, value }) => {
      learner.benchmarked(model, category, value)
    },
    log,
  })
  const strategyInUse = (id: string) => {
    const model = inventory.models().find(each => each.id === id)
    const strategy = ledger.notes.strategy(id)
    if (model === undefined || strategy === undefined) return undefined
    return benchmarkFeed.isBetter(model.provider, model.name, strategy) ? strategy : undefined
  }
  const tasks: Tasks = createTasks({
    store: ledger.tasks,
    handlers: {
      route_task: modelTaskHandler({ gateway, strategyOf: strategyInUse, now, newRequestId: () => newId('req') }),
      benchmark: benchmarkHandler({
        gateway,
        inventory,
        ledger,
        results: benchmarkResults.get,
        sandbox: sandbox.get,
        peopleWait: provider => tasks.active().waiting > 0 || (slots.get(provider)?.waiting() ?? 0) > 0,
        itemTimeoutMs: () => current.values.BENCHMARK_TASK_TIMEOUT,
        onMeasured: benchmarkFeed.feed,
        strategyOf: ledger.notes.strategy,
        now,
        newRequestId: () => newId('req'),
      }),
    },
    // A provider that went away with its setting still holds a place in line; the gateway then says what is wrong.
    limitOf: queue => (tierOf(queue) === undefined ? 1 : slotsOf(queue).limits().slots),
    now,
    newId,
    log,
    retentionMs: () => current.values.TASK_RETENTION_DAYS * 86_400_000,
  })
  const configListeners = new Set<() => void>()
  const closing = new AbortController()

  return {
    get config() {
      return current
    },
    version,
    log,
    ledger,
    inventory,
    gateway,
    learner,
    tasks,
    codeSearch: codeSearch.get,
    benchmarkResults: benchmarkResults.get,
    strategyInUse,
    tokens,
    now,
    startedAt: now(),
    newId,
    slotsOf,
    kindOf: provider => current.endpoints.find(({ name }) => name === provider)?.kind,
    installation: path.resolve(import.meta.dirname, '..'),
    readConfig,
    async reconfigure(next) {
      // First what may throw, so that nothing is applied in part.
      const nextPolicy = policyOf(next.values)
      const fresh = next.endpoints.filter(endpoint => !includes(current.endpoints, endpoint))
      const made = createProviders(fresh, providerParts)
      const gone = current.endpoints.filter(endpoint => !includes(next.endpoints, endpoint))
      const wanted = next.endpoints.map(({ name }) =>
        [...made, ...inventory.providers].find(each => each.name === name)!,
      )
      policy = nextPolicy
      current = next
      log.level = next.values.LOG_LEVEL
      if (fresh.length + gone.length > 0) {
        for (const { name } of [...fresh, ...gone]) breakers.forget(name)
        await inventory.replace(wanted, closing.signal)
      }
      for (const listener of configListeners) listener()
    },
    watchConfig(listener) {
      configListeners.add(listener)
      return () => configListeners.delete(listener)
    },
    async close(graceMs) {
      closing.abort()
      await tasks.close()
      await codeSearch.made()?.close()
      await sandbox.made()?.close()
      benchmarkFeed.close()
      benchmarkResults.made()?.close()
      await gateway.close(graceMs)
      learner.close()
      await inventory.close()
      await transport.close()
      tokens.close()
      await ledger.close()
    },
  }
}

function includes(endpoints: readonly Endpoint[], wanted: Endpoint): boolean {
  return endpoints.some(endpoint => isDeepStrictEqual(endpoint, wanted))
}

/** Makes something when it is first asked for; `made` is what there is to close. */
function once<Part>(make: () => Part): { get: () => Part; made: () => Part | undefined } {
  let part: Part | undefined
  return { get: () => (part ??= make()), made: () => part }
}
