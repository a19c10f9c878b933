import { createAccountingEvents, type AccountingEvents } from '../accounting/events.ts'
import { readStaticKeys } from '../accounting/static-keys.ts'
import type { CoreValues } from '../config.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { createApiKeys, type ApiKeys } from './api-keys.ts'
import { createRateLimiter, type RateLimiter } from './rate-limits.ts'

/** Who may ask for what, and what happens to their keys. */
export interface Accounting {
  /** The API keys that Signalbox issued, besides those of the settings. */
  readonly apiKeys: ApiKeys
  readonly rateLimiter: RateLimiter
  readonly events: Pick<AccountingEvents, 'watch'>
  /** Reads what is stored; nothing counts before. */
  load: () => Promise<void>
}

export interface AccountingParts {
  ledger: Pick<Ledger, 'apiKeys'>
  settings: Pick<CoreValues, 'SIGNALBOX_API_KEY' | 'SIGNALBOX_ADMIN_KEY'>
  randomBytes: (size: number) => Buffer
  /** Milliseconds since the epoch. */
  now: () => number
}

export function openAccounting({ ledger, settings, randomBytes, now }: AccountingParts): Accounting {
  const events = createAccountingEvents()
  const reserved = reservedNames(settings)
  const apiKeys = createApiKeys({
    store: ledger.apiKeys,
    isReserved: name => reserved.has(name),
    events,
    randomBytes,
    now,
  })
  return { apiKeys, rateLimiter: createRateLimiter(now), events, load: apiKeys.load }
}

/** Callers' names that no issued key may have. */
function reservedNames({ SIGNALBOX_API_KEY, SIGNALBOX_ADMIN_KEY }: AccountingParts['settings']): Set<string> {
  const keys = [SIGNALBOX_API_KEY, SIGNALBOX_ADMIN_KEY].flatMap(readStaticKeys)
  return new Set(['anonymous', 'local', ...keys.map(({ name }) => name)])
}
