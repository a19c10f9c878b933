import type { Logger } from 'pino'
import type { Model, Provider } from '../providers/provider.ts'
import type { Condition } from '../router/filter.ts'

/** Asking again sooner than this after the last question would not tell anything new. */
const freshMs = 1_000

export interface Inventory {
  readonly providers: readonly Provider[]
  /** All models known, those of servers that went away included; ask `condition` before using one. */
  models(): readonly Model[]
  providerOf(model: Model): Provider
  condition(model: Model): Condition
  /** Asks every server what it serves now; at once, in parallel, each bounded by itself. */
  refresh(signal: AbortSignal): Promise<void>
  /** Like `refresh`, unless that was just done. */
  refreshIfStale(signal: AbortSignal): Promise<void>
  /** Asks one server again, and for what is otherwise answered from memory too. */
  refetch(provider: Provider, signal: AbortSignal): Promise<void>
  /** A request met a server that does not answer: ask that one now, in the background. */
  suspect(provider: Provider): void
  close(): Promise<void>
}

export interface InventoryParts {
  providers: readonly Provider[]
  probeIntervalMs: number
  now: () => number
  log: Logger
}

/** Knows what every server serves and whether it is there, and keeps that fresh until closed. It owns the providers. */
export function createInventory({ providers, probeIntervalMs, now, log }: InventoryParts): Inventory {
  const byName = new Map(providers.map(provider => [provider.name, provider]))
  // A server that is down lists nothing, but its models stay known by name: asking for one then says what is wrong.
  const lastKnown = new Map<string, readonly Model[]>()
  const lastState = new Map<string, string>()
  const closing = new AbortController()
  let all: readonly Model[] = []
  let refreshedAt = Number.NEGATIVE_INFINITY

  function note(provider: Provider): void {
    const { state, reason } = provider.health()
    if (state === 'up') lastKnown.set(provider.name, provider.models())
    all = providers.flatMap(each => lastKnown.get(each.name) ?? [])
    const before = lastState.get(provider.name)
    lastState.set(provider.name, state)
    if (before === state || before === undefined) return
    if (state === 'up') log.info({ provider: provider.name, models: provider.models().length }, 'server is up')
    else log.warn({ provider: provider.name, reason }, 'server went away')
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
    providers,
    models: () => all,
    providerOf(model) {
      const provider = byName.get(model.provider)
      if (provider === undefined) throw new Error(`model ${model.id} belongs to no provider`)
      return provider
    },
    condition(model) {
      const { state, reason } = byName.get(model.provider)?.health() ?? { state: 'unknown' }
      return state === 'down' ? { state: 'unavailable', reason: reason ?? 'its server is down' } : { state: 'ready' }
    },
    refresh,
    async refreshIfStale(signal) {
      if (now() - refreshedAt >= freshMs) await refresh(signal)
    },
    refetch: (provider, signal) => ask(provider, signal, true),
    suspect(provider) {
      void ask(provider, closing.signal)
    },
    async close() {
      clearInterval(timer)
      closing.abort()
      await Promise.all(providers.map(provider => provider.close()))
    },
  }
}
