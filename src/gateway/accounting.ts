import type { Logger } from 'pino'
import type { ModelAccess } from '../accounting/api-key.ts'
import { createCalendar } from '../accounting/calendar.ts'
import { usdOf } from '../accounting/money.ts'
import { readStaticKeys } from '../accounting/static-keys.ts'
import type { Config } from '../config/config.ts'
import type { CoreValues } from '../config/core-settings.ts'
import type { Hub, SignalboxEvent } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { createApiKeys, type ApiKeys } from './api-keys.ts'
import { createBudgets, type Budgets } from './budgets.ts'
import { createCredentials, type CredentialOf } from './credentials.ts'
import { createRateLimiter, type RateLimiter } from './rate-limits.ts'
import { createSpending, type Spending } from './spending.ts'

/** Who may ask for what, and what happens to their keys. */
export interface Accounting {
  /** The API keys that Signalbox issued, besides those of the settings. */
  readonly apiKeys: ApiKeys
  readonly rateLimiter: RateLimiter
  readonly budgets: Budgets
  readonly spending: Spending
  /** Which models an API key may use, by its name; undefined: all. */
  accessOf: (keyId: string | undefined) => ModelAccess | undefined
  credentialOf: CredentialOf
  /** Reads what is stored; nothing counts before. */
  load: () => Promise<void>
  /**
   * Settles what a killed process had reserved: at what the ledger says, else at all that was held, so that a crash may take money
   * out of a budget and never adds any. Attempts begun since `sinceMs` that their provider can still be asked about wait for it.
   */
  recover: (sinceMs: number) => Promise<void>
}

export interface AccountingParts {
  ledger: Pick<Ledger, 'apiKeys' | 'budgets'>
  settings: Pick<CoreValues, 'SIGNALBOX_API_KEY' | 'SIGNALBOX_ADMIN_KEY' | 'TIME_ZONE'>
  /** The variables in force. */
  environment: () => Config['environment']
  events: Pick<Hub<SignalboxEvent>, 'emit'>
  randomBytes: (size: number) => Buffer
  /** Milliseconds since the epoch. */
  now: () => number
  log: Pick<Logger, 'error' | 'warn'>
}

export function openAccounting(parts: AccountingParts): Accounting {
  const { ledger, settings, environment, events, randomBytes, now, log } = parts
  const reserved = reservedNames(settings)
  const apiKeys = createApiKeys({
    store: ledger.apiKeys,
    isReserved: name => reserved.has(name),
    events,
    randomBytes,
    now,
  })
  const budgets = createBudgets({ store: ledger.budgets, now })
  ledger.budgets.onReached(({ budget, subject, share, settled, limit, resetsAt }) => {
    events.emit({
      type: 'budget.threshold',
      budget,
      subject: subject === '' ? undefined : subject,
      threshold: share / 100,
      usedUsd: usdOf(settled),
      limitUsd: usdOf(limit),
      resetsAt: resetsAt ?? undefined,
    })
  })
  return {
    apiKeys,
    rateLimiter: createRateLimiter(now),
    budgets,
    spending: createSpending({
      store: ledger.budgets,
      budgets: budgets.list,
      calendar: createCalendar(settings.TIME_ZONE),
      now,
      log,
    }),
    accessOf: keyId => (keyId === undefined ? undefined : apiKeys.named(keyId)),
    credentialOf: createCredentials(apiKeys, environment),
    async load() {
      await apiKeys.load()
      await budgets.load()
    },
    async recover(sinceMs) {
      const { known, assumed, assumedPicos } = await ledger.budgets.recover(sinceMs)
      if (assumed === 0) return
      log.warn(
        { known, assumed, usd: usdOf(assumedPicos) },
        'calls were in progress when Signalbox was killed; of those without a record all that was reserved counts as spent',
      )
    },
  }
}

/** Callers' names that no issued key may have. */
function reservedNames({ SIGNALBOX_API_KEY, SIGNALBOX_ADMIN_KEY }: AccountingParts['settings']): Set<string> {
  const keys = [SIGNALBOX_API_KEY, SIGNALBOX_ADMIN_KEY].flatMap(readStaticKeys)
  return new Set(['anonymous', 'local', ...keys.map(({ name }) => name)])
}
