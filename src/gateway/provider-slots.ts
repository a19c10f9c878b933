import type { CoreValues } from '../config.ts'
import { createSlots, type Slots } from './slots.ts'

export interface ProviderSlotsParts {
  isRemote: (provider: string) => boolean
  /** The settings in force; read for every request. */
  settings: () => Pick<
    CoreValues,
    | 'PROVIDER_MAX_CONCURRENT_LOCAL'
    | 'PROVIDER_MAX_CONCURRENT_REMOTE'
    | 'PROVIDER_QUEUE_LIMIT'
    | 'PROVIDER_QUEUE_TIMEOUT_MS'
  >
}

/** The slots of each provider, by its name. Those of a removed provider stay: requests may hold them, and it may come back. */
export function createProviderSlots({ isRemote, settings }: ProviderSlotsParts): (provider: string) => Slots {
  const byProvider = new Map<string, Slots>()

  function limitsOf(provider: string) {
    const values = settings()
    return {
      slots: isRemote(provider) ? values.PROVIDER_MAX_CONCURRENT_REMOTE : values.PROVIDER_MAX_CONCURRENT_LOCAL,
      queueLimit: values.PROVIDER_QUEUE_LIMIT,
      queueTimeoutMs: values.PROVIDER_QUEUE_TIMEOUT_MS,
    }
  }

  return provider => {
    let slots = byProvider.get(provider)
    if (slots === undefined) {
      slots = createSlots(provider, () => limitsOf(provider))
      byProvider.set(provider, slots)
    }
    return slots
  }
}
