import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { ownPrices, type Reprice } from './accounting/own-prices.ts'
import { createShippedPrices, type ShippedPrices } from './accounting/price-list.ts'
import type { Config, Endpoint } from './config/config.ts'
import type { CoreValues } from './config/core-settings.ts'
import { GatewayError } from './errors.ts'
import { createHub, type Hub, type SignalboxEvent } from './events.ts'
import { openAccounting, type Accounting } from './gateway/accounting.ts'
import type { ApiKeys } from './gateway/api-keys.ts'
import { createBreakers, type Breakers } from './gateway/breakers.ts'
import { startCorrections } from './gateway/corrections.ts'
import { createGateway, type Gateway, type GatewayParts } from './gateway/gateway.ts'
import type { StartTrace } from './gateway/trace.ts'
import { createLearner, type Learner, type RatioFact } from './gateway/learner.ts'
import { createInventory, type Inventory } from './gateway/inventory.ts'
import { startReconciliation, type Reconciliation } from './gateway/reconciliation.ts'
import type { ReferenceModel } from './gateway/reference-cost.ts'
import { createProviderSlots } from './gateway/provider-slots.ts'
import type { Slots } from './gateway/slots.ts'
import type { PromptingStrategy } from './ledger/agent-notes.ts'
import { openLedger, type Ledger } from './ledger/ledger.ts'
import type { RequestRecord } from './ledger/record.ts'
import { startRetention } from './ledger/retention.ts'
import { createPrivateFolder } from './private-files.ts'
import { createProviders } from './providers/index.ts'
import type { Model, ProviderParts } from './providers/provider.ts'
import { createTransport, type Transport } from './providers/http/transport.ts'
import type { Condition } from './router/filter.ts'
import { evidenceFrom, type EvidenceRow } from './router/evidence.ts'
import { createKnowledge, type Knowledge } from './router/knowledge.ts'
import { mayUse } from './router/model-access.ts'
import { policyOf, type Policy } from './router/policy.ts'
import { loadWeights } from './router/weights.ts'
import { openResults, type ResultStore } from './bench/results.ts'
import { openSandbox } from './bench/sandbox/sandbox.ts'
import { openSearch, type Search } from './search/search.ts'
import { createBenchmarkFeed } from './tasks/benchmark-feed.ts'
import { batchHandler, batchKind } from './tasks/batch.ts'
import { benchmarkHandler } from './tasks/benchmark.ts'
import { createFileStore, type FileStore } from './tasks/file-store.ts'
import { modelTaskHandler } from './tasks/model-task.ts'
import { createTasks, type Tasks } from './tasks/tasks.ts'
import { createTokenCounter, type TokenCounter } from './tokens/counter.ts'
import { createTokenRatios } from './tokens/ratio.ts'

/** Everything that lives as long as the process. */
export interface Core {
  /** The configuration in force; `reconfigure` replaces it. */
  readonly config: () => Config
  readonly version: string
  readonly log: Logger
  readonly transport: Transport
  /** What happens here that other programs may want to hear of. */
  readonly events: Hub<SignalboxEvent>
  /** Every request as it is recorded, at its end. */
  readonly requests: Pick<Hub<RequestRecord>, 'watch'>
  readonly ledger: Ledger
  readonly inventory: Inventory
  readonly gateway: Gateway
  readonly reconciliation: Reconciliation
  readonly learner: Learner
  readonly accounting: Accounting
  /** The models that a key may use, by its name. */
  readonly modelsFor: (keyId: string) => readonly Model[]
  readonly tasks: Tasks
  /** Input and results of batches. */
  readonly files: FileStore
  /** Opened on first use; throws `unsupported` if it is switched off. */
  readonly codeSearch: () => Search
  /** The code search if anything has opened it. */
  readonly openedCodeSearch: () => Search | undefined
  readonly benchmarkResults: () => ResultStore
  /** The prompting strategy for a model: one that is configured for it and that benchmarks found better than none. */
  readonly strategyInUse: (model: string) => PromptingStrategy | undefined
  readonly tokens: TokenCounter
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly startedAt: number
  readonly newId: NewId
  readonly slotsOf: (provider: string) => Slots
  /** Whether a model can be called now: its server is up, and no recent failure excludes it. */
  readonly conditionOf: (model: Model) => Condition
  /** The same for a whole provider, by name. */
  readonly conditionOfProvider: (provider: string) => Condition
  /** The kind of a provider's server, as written in `signalbox.json`. */
  readonly kindOf: (provider: string) => string | undefined
  /** The folder that Signalbox is installed in. */
  readonly installation: string
  /** Reads the current settings; throws `ConfigError`. */
  readonly readConfig: () => Config
  /**
   * Applies settings to everything that is running. Those marked `atStart` must be the same as before. They apply from the
   * call on; the promise settles when new servers have been asked for their models. Throws `ConfigError` and then changes
   * nothing.
   */
  readonly reconfigure: (next: Config) => Promise<void>
  /** Calls `listener` after new settings were applied, until the returned function is called. */
  readonly watchConfig: Hub<Config>['watch']
  /** Gives requests in progress `graceMs` to finish, then aborts them, writes the ledger and closes every connection. */
  close(graceMs: number): Promise<void>
}

export interface CoreParts {
  config: Config
  version: string
  log: Logger
  now: () => number
  /** A number in [0, 1) for the router's random choices. */
  random: () => number
  newId: NewId
  readConfig: () => Config
  /** Absent where nothing is traced. */
  startTrace?: StartTrace | undefined
}

/** Makes a unique id; the prefix names its kind. */
export type NewId = (prefix: 'req' | 'task' | 'job' | 'msg' | 'file') => string

/** Builds the core without calling any server yet: `inventory.refresh` does. */
export function createCore(parts: CoreParts): Core {
  const { config: first, version, log, now, random, newId, readConfig, startTrace } = parts
  const reconfigured = createHub<Config>(log)
  let config = first
  let policy = policyOf(first.values)
  // Everything that depends on a live setting reads it through this function at each use.
  const settings = () => config.values
  const environment = () => config.environment
  const dataDir = path.resolve(first.root, first.values.DATA_DIR)
  const ledger = openLedger({ file: path.join(dataDir, 'ledger.db'), now, log })
  const retention = startRetention({ ledger, days: () => retentionDays(settings()), now, log })
  const tokens = createTokenCounter()
  const transport = openTransport(first)
  const events = createHub<SignalboxEvent>(log)
  const requests = createHub<RequestRecord>(log)
  const accounting = openAccounting({ ledger, settings: first.values, environment, events, randomBytes, now, log })
  const { inventory, providerParts, reference } = openProviders({ ...parts, settings, transport, events })
  const providerNamed = (name: string) => inventory.providers().find(provider => provider.name === name)
  const slotsOf = createProviderSlots({
    isRemote: provider => providerNamed(provider)?.tier === 'remote',
    models: () => inventory.models(),
    now,
    settings,
  })
  const { knowledge, learner } = createLearning({ ledger, policy: () => policy, now, log })
  const breakers = createBreakers(now)
  const conditionOf = modelCondition(inventory, breakers)
  const bills = followBills({ accounting, ledger, inventory, events, settings, now, log })
  const gateway = createGateway({
    inventory,
    conditionOf,
    breakers,
    record: recordTo(ledger, requests),
    startTrace,
    corrections: bills.corrections,
    learner,
    ...accounting,
    slotsOf,
    settings,
    reference,
    knowledge,
    ...promptCounts(tokens),
    now,
    random,
  })
  const codeSearch = lazySearch({ config: first, dataDir, tokens, now, log })
  const benchmarks = createBenchmarks({ config: first, inventory, ledger, learner, log })
  const files = openFiles(dataDir, first, now)
  const tasks = openTasks({
    gateway,
    files,
    inventory,
    ledger,
    benchmarks,
    slotsOf,
    settings,
    events,
    now,
    newId,
    log,
  })
  const closing = new AbortController()

  return {
    config: () => config,
    version,
    log,
    transport,
    events,
    requests,
    ledger,
    inventory,
    gateway,
    reconciliation: bills.reconciliation,
    learner,
    accounting,
    modelsFor: modelsByKey(inventory, accounting.apiKeys),
    tasks,
    files,
    codeSearch: codeSearch.get,
    openedCodeSearch: codeSearch.made,
    benchmarkResults: benchmarks.results.get,
    strategyInUse: benchmarks.strategyInUse,
    tokens,
    now,
    startedAt: now(),
    newId,
    slotsOf,
    conditionOf,
    conditionOfProvider: provider => breakers.conditionOfProvider(provider),
    kindOf: provider => config.endpoints.find(({ name }) => name === provider)?.kind,
    installation: path.resolve(import.meta.dirname, '..'),
    readConfig,
    async reconfigure(next) {
      // Everything that may throw comes first, so that nothing is applied partly.
      const nextPolicy = policyOf(next.values)
      const applyEndpoints = planEndpoints({ before: config, next, inventory, breakers, providerParts })
      policy = nextPolicy
      config = next
      log.level = next.values.LOG_LEVEL
      await applyEndpoints(closing.signal)
      reconfigured.emit(next)
    },
    watchConfig: reconfigured.watch,
    async close(graceMs) {
      closing.abort()
      await tasks.close()
      await codeSearch.made()?.close()
      await benchmarks.close()
      await gateway.close(graceMs)
      await bills.close()
      learner.close()
      await inventory.close()
      await transport.close()
      tokens.close()
      await retention.close()
      await ledger.close()
    },
  }
}

/** How the gateway has prompts counted. */
function promptCounts(tokens: TokenCounter): Pick<GatewayParts, 'countTokens' | 'countText'> {
  return {
    countTokens: ({ messages, tools }) => tokens.countMessages(messages, tools),
    countText: text => tokens.countText(text),
  }
}

interface ProvidersParts extends Pick<CoreParts, 'config' | 'now' | 'log'> {
  settings: () => CoreValues
  transport: ProviderParts['transport']
  events: Core['events']
}

/** The inventory of the configured servers with their prices, and what costs are compared with. */
function openProviders({ config, settings, transport, events, now, log }: ProvidersParts) {
  const prices = createShippedPrices()
  const providerParts = { transport, prices, now }
  const inventory = createInventory({
    events,
    ownPrices: settingsPrices(settings, now),
    providers: createProviders(config.endpoints, providerParts),
    probeIntervalMs: config.values.PROVIDER_HEALTH_PROBE_INTERVAL_MS,
    now,
    log,
  })
  return { inventory, providerParts, reference: () => referenceModel(settings().REFERENCE_MODEL, inventory, prices) }
}

interface BillParts extends Pick<CoreParts, 'now' | 'log'> {
  accounting: Accounting
  ledger: Ledger
  inventory: Inventory
  events: Core['events']
  settings: () => CoreValues
}

/** What providers are asked about what they billed. */
function followBills({ accounting, ledger, inventory, events, settings, now, log }: BillParts) {
  const providers = () => inventory.providers()
  const billOf = (name: string) => providers().find(provider => provider.name === name)?.billOf
  const corrections = startCorrections({ ...accounting, ledger, billOf, now, log })
  const nightly = () => settings().RECONCILE_NIGHTLY
  const reconciliation = startReconciliation({ ...accounting, ledger, providers, events, now, log, nightly })
  return {
    corrections,
    reconciliation,
    async close() {
      await reconciliation.close()
      await corrections.close()
    },
  }
}

/** The operator's prices, made anew only when their setting changes. */
function settingsPrices(settings: () => CoreValues, now: () => number): () => Reprice {
  let given: CoreValues['MODEL_PRICES'] | undefined
  let reprice: Reprice | undefined
  return () => {
    const { MODEL_PRICES } = settings()
    if (reprice === undefined || given !== MODEL_PRICES) reprice = ownPrices(MODEL_PRICES, now())
    given = MODEL_PRICES
    return reprice
  }
}

/** A model by its id or, where none has it, from the shipped list. */
function referenceModel(
  name: string | undefined,
  inventory: Inventory,
  prices: ShippedPrices,
): ReferenceModel | undefined {
  if (name === undefined) return undefined
  const price = inventory.models().find(({ id }) => id === name)?.price ?? prices.named(name)?.price
  return price && { model: name, price }
}

/** The models that a key may use, by its name. */
function modelsByKey(inventory: Inventory, apiKeys: ApiKeys): Core['modelsFor'] {
  return keyId => {
    const access = apiKeys.named(keyId)
    return access === undefined ? inventory.models() : inventory.models().filter(model => mayUse(access, model))
  }
}

function retentionDays({ LEDGER_RETENTION_DAYS, DECISION_RETENTION_DAYS, TASK_RETENTION_DAYS }: CoreValues) {
  return { requests: LEDGER_RETENTION_DAYS, decisions: DECISION_RETENTION_DAYS, tasks: TASK_RETENTION_DAYS }
}

function recordTo(ledger: Ledger, requests: Hub<RequestRecord>): Ledger['record'] {
  return entry => {
    ledger.record(entry)
    requests.emit(entry)
  }
}

/** The condition of a model: that of its server, else that of its circuit breaker. */
function modelCondition(inventory: Inventory, breakers: Breakers): (model: Model) => Condition {
  return model => {
    const server = inventory.condition(model)
    return server.state === 'ready' ? breakers.condition(model) : server
  }
}

const maxFilesPerKey = 1_000

function openFiles(dataDir: string, { values }: Config, now: () => number): FileStore {
  const limits = { maxBytes: values.FILE_STORAGE_MB * 1024 * 1024, maxFiles: maxFilesPerKey }
  return createFileStore(path.join(dataDir, 'files'), limits, now)
}

function openTransport({ values }: Config) {
  return createTransport({
    connectTimeoutMs: values.PROVIDER_CONNECT_TIMEOUT_MS,
    httpProxy: values.HTTP_PROXY,
    httpsProxy: values.HTTPS_PROXY,
    noProxy: values.NO_PROXY,
  })
}

interface LearningParts extends Pick<CoreParts, 'now' | 'log'> {
  ledger: Ledger
  policy: () => Policy
}

/** What decisions are based on, from the ledger and the shipped weights, and the learner that adds to it. */
function createLearning({ ledger, policy, now, log }: LearningParts): { knowledge: () => Knowledge; learner: Learner } {
  const loaded = loadWeights()
  if (loaded.weights === undefined) log.warn(loaded.problem)
  // The ledger stores facts as plain data without knowing their meaning; only the learner writes them.
  const facts = ledger.learned.load() as (EvidenceRow | RatioFact)[]
  const ratios = createTokenRatios()
  ratios.restore(facts.flatMap(fact => (fact.kind === 'ratio' ? [fact.value] : [])))
  const evidence = evidenceFrom(facts.filter(fact => fact.kind !== 'ratio'))
  let knowledge = createKnowledge(loaded.weights, evidence, policy(), model => ratios.ratioOf(model.id))
  const learner = createLearner({ knowledge, ratios, store: ledger.learned, now, log })
  return {
    learner,
    knowledge() {
      if (knowledge.policy !== policy()) knowledge = { ...knowledge, policy: policy() }
      return knowledge
    },
  }
}

interface SearchParts extends Pick<CoreParts, 'config' | 'now' | 'log'> {
  dataDir: string
  tokens: TokenCounter
}

/** Code search, opened at once if an index exists and otherwise on first use. */
function lazySearch({ config: { values }, dataDir, tokens, now, log }: SearchParts): Lazy<Search> {
  const search = once(() => {
    if (!values.CODE_SEARCH_ENABLED) {
      throw new GatewayError('unsupported', 'Code search is switched off (CODE_SEARCH_ENABLED).')
    }
    return openSearch({
      dataDir,
      allowedRoots: values.CODE_SEARCH_ROOTS?.split(path.delimiter) ?? [homedir()],
      onlyBelowRoots: values.CODE_SEARCH_ROOTS === undefined,
      excludePatterns: values.CODE_SEARCH_EXCLUDE_PATTERNS,
      indexOnStart: values.CODE_SEARCH_INDEX_ON_START,
      reindexIntervalSeconds: values.CODE_SEARCH_REINDEX_INTERVAL,
      watch: true,
      now,
      countTokens: text => tokens.countText(text).tokens,
      log,
    })
  })
  // An existing index is kept fresh from the start; without one nothing is opened before the first use.
  if (values.CODE_SEARCH_ENABLED && existsSync(path.join(dataDir, 'search'))) search.get()
  return search
}

interface BenchmarkCoreParts extends Pick<CoreParts, 'config' | 'log'> {
  inventory: Inventory
  ledger: Ledger
  learner: Learner
}

/** Benchmark results, what passes them to the router, and the sandbox for tested code. */
function createBenchmarks({ config, inventory, ledger, learner, log }: BenchmarkCoreParts) {
  const sandbox = once(openSandbox)
  const file = path.resolve(config.root, config.values.BENCHMARK_RESULTS_PATH, 'benchmarks.db')
  const results = once(() => {
    createPrivateFolder(path.dirname(file))
    return openResults(file)
  })
  const feed = createBenchmarkFeed({
    results: () => (existsSync(file) ? results.get() : undefined),
    learn: ({ model, category, value }) => {
      learner.benchmarked(model, category, value)
    },
    log,
  })
  function strategyInUse(id: string): PromptingStrategy | undefined {
    const model = inventory.models().find(each => each.id === id)
    const strategy = ledger.notes.strategy(id)
    if (model === undefined || strategy === undefined) return undefined
    return feed.isBetter(model.provider, model.name, strategy) ? strategy : undefined
  }

  return {
    sandbox,
    results,
    feed,
    strategyInUse,
    async close() {
      await sandbox.made()?.close()
      feed.close()
      results.made()?.close()
    },
  }
}

interface TaskHandlerParts extends Pick<CoreParts, 'now' | 'newId'> {
  gateway: Gateway
  files: FileStore
  inventory: Inventory
  ledger: Ledger
  benchmarks: ReturnType<typeof createBenchmarks>
  slotsOf: Core['slotsOf']
  settings: () => CoreValues
  tasks: () => Tasks
}

interface TasksParts extends Omit<TaskHandlerParts, 'tasks'>, Pick<CoreParts, 'log'> {
  events: Hub<SignalboxEvent>
}

function openTasks({ events, log, ...parts }: TasksParts): Tasks {
  const { ledger, inventory, slotsOf, now, newId } = parts
  const isKnown = (name: string) => inventory.providers().some(provider => provider.name === name)
  const tasks: Tasks = createTasks({
    store: ledger.tasks,
    events,
    handlers: taskHandlers({ ...parts, tasks: () => tasks }),
    // A provider removed from the settings keeps one place in its queue; the gateway then reports that it is gone.
    limitOf: queue => (isKnown(queue) ? slotsOf(queue).limits().slots : 1),
    now,
    newId,
    log,
  })
  return tasks
}

/** The implementation of each kind of task. */
function taskHandlers({
  gateway,
  files,
  inventory,
  ledger,
  benchmarks,
  slotsOf,
  settings,
  tasks,
  now,
  newId,
}: TaskHandlerParts) {
  const common = { gateway, now, newRequestId: () => newId('req') }
  return {
    route_task: modelTaskHandler({ ...common, strategyOf: benchmarks.strategyInUse }),
    [batchKind]: batchHandler({ ...common, files }),
    benchmark: benchmarkHandler({
      ...common,
      inventory,
      ledger,
      results: benchmarks.results.get,
      sandbox: benchmarks.sandbox.get,
      slotsOf,
      isIdle: provider => tasks().isIdle(provider),
      untilIdle: (provider, signal) => tasks().untilIdle(provider, signal),
      itemTimeoutMs: () => settings().BENCHMARK_TASK_TIMEOUT,
      onMeasured: benchmarks.feed.feed,
      strategyOf: ledger.notes.strategy,
    }),
  }
}

interface EndpointChange {
  before: Config
  next: Config
  inventory: Inventory
  breakers: Breakers
  providerParts: Omit<ProviderParts, 'endpoint'>
}

/** Creates the new providers; the returned function puts them into service. Throws `ConfigError` and then changes nothing. */
function planEndpoints({ before, next, inventory, breakers, providerParts }: EndpointChange) {
  const added = next.endpoints.filter(endpoint => !includes(before.endpoints, endpoint))
  const removed = before.endpoints.filter(endpoint => !includes(next.endpoints, endpoint))
  const created = createProviders(added, providerParts)
  const wanted = next.endpoints.map(({ name }) =>
    [...created, ...inventory.providers()].find(each => each.name === name)!,
  )
  return async (signal: AbortSignal): Promise<void> => {
    inventory.reprice()
    if (added.length + removed.length === 0) return
    for (const { name } of [...added, ...removed]) breakers.forget(name)
    await inventory.replace(wanted, signal)
  }
}

function includes(endpoints: readonly Endpoint[], wanted: Endpoint): boolean {
  return endpoints.some(endpoint => isDeepStrictEqual(endpoint, wanted))
}

interface Lazy<Part> {
  get: () => Part
  /** The part, if it was made: for closing it. */
  made: () => Part | undefined
}

/** Makes a part on first use. */
function once<Part>(make: () => Part): Lazy<Part> {
  let part: Part | undefined
  return { get: () => (part ??= make()), made: () => part }
}
