import type { Logger } from 'pino'
import type { Reprice } from '../accounting/own-prices.ts'
import { notableChange } from '../accounting/price-changes.ts'
import { GatewayError } from '../errors.ts'
import type { Hub, SignalboxEvent } from '../events.ts'
import type { Model, Provider } from '../providers/provider.ts'
import type { Condition } from '../router/filter.ts'

/** A refresh sooner than this after the last one would show nothing new. */
const freshMs = 1_000

export interface Inventory {
  /** Those in force now; `replace` changes them. */
  providers(): readonly Provider[]
  /** All known models, including those of servers that went down; check `condition` before using one. */
  models(): readonly Model[]
  /** Throws `model_not_found` if its provider was removed from the settings since the model was chosen. */
  providerOf: (model: Model) => Provider
  condition(model: Model): Condition
  /** Asks every server for its models, in parallel, each with its own timeout. */
  refresh(signal: AbortSignal): Promise<void>
  /** Like `refresh`, unless one just ran. */
  refreshIfStale(signal: AbortSignal): Promise<void>
  /** Applies changed prices of the settings. */
  reprice(): void
  /** Asks one server again, bypassing what is cached about it. */
  refetch(provider: Provider, signal: AbortSignal): Promise<void>
  /** A request for this model met a server that does not answer: checks that server now, in the background. */
  suspect(model: Model): void
  /**
   * Serves with exactly these providers from now on; resolves when each new one has been asked for its models. Removed
   * providers are closed and their models forgotten; requests in progress on them still finish.
   */
  replace(providers: readonly Provider[], signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface InventoryParts {
  providers: readonly Provider[]
  probeIntervalMs: number
  now: () => number
  log: Logger
  events: Pick<Hub<SignalboxEvent>, 'emit'>
  /** The operator's prices, as the settings in force have them. */
  ownPrices: () => Reprice
}

/** Knows the models of every server and whether it is up, and refreshes both until closed. It owns the providers. */
export function createInventory(parts: InventoryParts): Inventory {
  const { probeIntervalMs, now, log, events, ownPrices } = parts
  let { providers } = parts
  let byName = new Map(providers.map(provider => [provider.name, provider]))
  // A server that is down lists nothing, but its models stay known by name, so that a request for one gets the real reason.
  const lastKnown = new Map<string, readonly Model[]>()
  const lastState = new Map<string, string>()
  const closing = new AbortController()
  let all: readonly Model[] = []
  let refreshedAt = Number.NEGATIVE_INFINITY

  const listAll = () => {
    const reprice = ownPrices()
    all = providers.flatMap(each => lastKnown.get(each.name) ?? []).map(model => reprice(model, model.id))
  }

  function note(provider: Provider): void {
    if (byName.get(provider.name) !== provider) return
    const { state, reason } = provider.health()
    if (state === 'up') {
      const models = provider.models()
      tellPriceChanges(lastKnown.get(provider.name), models)
      lastKnown.set(provider.name, models)
    }
    listAll()
    const before = lastState.get(provider.name)
    lastState.set(provider.name, state)
    if (before === state || before === undefined) return
    if (state === 'up') {
      const models = provider.models().length
      log.info({ provider: provider.name, models }, 'server is up')
      events.emit({ type: 'provider.up', provider: provider.name, models })
    } else {
      log.warn({ provider: provider.name, reason }, 'server is down')
      events.emit({ type: 'provider.down', provider: provider.name, reason: reason ?? 'it does not answer' })
    }
  }

  function tellPriceChanges(before: readonly Model[] | undefined, after: readonly Model[]): void {
    if (before === undefined || before === after) return
    const old = new Map(before.map(({ id, price }) => [id, price]))
    for (const { id, price } of after) {
      const then = old.get(id)
      const change = then && price && then !== price ? notableChange(then, price) : undefined
      if (change === undefined) continue
      const { rate, beforeUsd, afterUsd } = change
      events.emit({ type: 'price.changed', model: id, price: rate, beforeUsd, afterUsd })
    }
  }

  async function ask(provider: Provider, signal: AbortSignal, fresh = false): Promise<void> {
    await provider.refresh(signal, { fresh })
    note(provider)
  }

  async function refresh(signal: AbortSignal): Promise<void> {
    refreshedAt = now()
    await Promise.all(providers.map(provider => ask(provider, signal)))
  }

  const timer = setInterval(() => void refresh(closing.signal), probeIntervalMs)
  timer.unref()

  return {
    providers: () => providers,
    models: () => all,
    providerOf(model) {
      const provider = byName.get(model.provider)
      if (provider !== undefined) return provider
      throw new GatewayError(
        'model_not_found',
        `${model.id} is no longer available: its server was removed from the settings.`,
      )
    },
    condition(model) {
      const { state, reason } = byName.get(model.provider)?.health() ?? { state: 'unknown' }
      return state === 'down' ? { state: 'unavailable', reason: reason ?? 'its server is down' } : { state: 'ready' }
    },
    refresh,
    async refreshIfStale(signal) {
      if (now() - refreshedAt >= freshMs) await refresh(signal)
    },
    reprice: listAll,
    refetch: (provider, signal) => ask(provider, signal, true),
    suspect({ provider: name }) {
      const provider = byName.get(name)
      if (provider !== undefined) void ask(provider, closing.signal)
    },
    async replace(next, signal) {
      const added = next.filter(provider => !providers.includes(provider))
      const removed = providers.filter(provider => !next.includes(provider))
      providers = next
      byName = new Map(next.map(provider => [provider.name, provider]))
      for (const { name } of removed) {
        lastKnown.delete(name)
        lastState.delete(name)
      }
      listAll()
      await Promise.all([...added.map(provider => ask(provider, signal)), ...removed.map(provider => provider.close())])
    },
    async close() {
      clearInterval(timer)
      closing.abort()
      await Promise.all(providers.map(provider => provider.close()))
    },
  }
}
