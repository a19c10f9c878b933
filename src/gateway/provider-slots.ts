import type { CoreValues } from '../config/core-settings.ts'
import type { Model } from '../providers/provider.ts'
import { createSlots, type Batching, type Slots } from './slots.ts'

export interface ProviderSlotsParts {
  isRemote: (provider: string) => boolean
  /** All known models, as their servers last described them. */
  models: () => readonly Model[]
  /** Milliseconds since the epoch. */
  now: () => number
  /** The settings in force; read for every request. */
  settings: () => Pick<
    CoreValues,
    | 'PROVIDER_MAX_CONCURRENT_LOCAL'
    | 'PROVIDER_MAX_CONCURRENT_REMOTE'
    | 'PROVIDER_QUEUE_LIMIT'
    | 'PROVIDER_QUEUE_TIMEOUT_MS'
    | 'LOCAL_BATCH_MAX_WAIT_MS'
  >
}

/** The slots of each provider, by its name. Those of a removed provider stay: requests may hold them, and it may come back. */
export function createProviderSlots({
  isRemote,
  models,
  now,
  settings,
}: ProviderSlotsParts): (provider: string) => Slots {
  const byProvider = new Map<string, Slots>()

  function limitsOf(provider: string) {
    const values = settings()
    return {
      slots: isRemote(provider) ? values.PROVIDER_MAX_CONCURRENT_REMOTE : values.PROVIDER_MAX_CONCURRENT_LOCAL,
      queueLimit: values.PROVIDER_QUEUE_LIMIT,
      queueTimeoutMs: values.PROVIDER_QUEUE_TIMEOUT_MS,
    }
  }

  const batching: Batching = {
    maxWaitMs: () => settings().LOCAL_BATCH_MAX_WAIT_MS,
    evicts: (next, last) => !inMemory(next) || !inMemory(last),
    now,
  }

  /** Two models that were seen in memory at once fit beside each other. */
  function inMemory(id: string): boolean {
    return models().some(model => model.id === id && model.loaded === true)
  }

  return provider => {
    let slots = byProvider.get(provider)
    if (slots === undefined) {
      slots = createSlots(provider, () => limitsOf(provider), isRemote(provider) ? undefined : batching)
      byProvider.set(provider, slots)
    }
    return slots
  }
}
