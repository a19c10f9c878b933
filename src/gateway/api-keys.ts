import { hashOf, newToken, type ApiKey } from '../accounting/api-key.ts'
import { GatewayError } from '../errors.ts'
import type { Hub, SignalboxEvent } from '../events.ts'
import type { ApiKeyStore, StoredApiKey } from '../ledger/api-keys.ts'

/** Everything a key is made with. */
export type NewApiKey = Omit<ApiKey, 'createdAt' | 'revokedAt'>

/** The API keys that Signalbox issued. They are few, so all are in memory: a request looks its own up without the database. */
export interface ApiKeys {
  /** Reads the stored keys; nothing is known before. */
  load: () => Promise<void>
  /** The key of a token; undefined for a token that is none of ours. Throws `unauthorized` for one that no longer counts. */
  find: (token: string) => ApiKey | undefined
  /** Throws `unauthorized` for a key that has expired or was revoked. */
  requireValid: (key: ApiKey) => void
  /** Whether there is any, revoked ones included: a deployment that had keys once is never open again. */
  exist: () => boolean
  /** The key of this name, whatever its state. */
  named: (name: string) => ApiKey | undefined
  /** The oldest first. */
  list: () => ApiKey[]
  /** Throws `conflict` for a name that was ever given. */
  create: (settings: NewApiKey) => Promise<Issued>
  /** A new token for a key; the previous one counts for `graceMs` more. Throws `not_found`, or `conflict` for a revoked key. */
  rotate: (name: string, graceMs: number) => Promise<Issued>
  /** Throws `not_found`; a second time changes nothing. */
  revoke: (name: string) => Promise<ApiKey>
}

/** A key with its token, which exists nowhere else. */
export interface Issued {
  key: ApiKey
  token: string
}

export interface ApiKeysParts {
  store: ApiKeyStore
  /** Whether the settings or Signalbox itself use this name for another caller. */
  isReserved: (name: string) => boolean
  events: Pick<Hub<SignalboxEvent>, 'emit'>
  randomBytes: (size: number) => Buffer
  /** Milliseconds since the epoch. */
  now: () => number
}

/** Every request looks at them, and every list shows them all. */
const maxKeys = 10_000

export function createApiKeys({ store, isReserved, events, randomBytes, now }: ApiKeysParts): ApiKeys {
  const byName = new Map<string, StoredApiKey>()
  const byHash = new Map<string, StoredApiKey>()

  function keep(stored: StoredApiKey): void {
    const before = byName.get(stored.key.name)
    if (before !== undefined) forgetHashes(before)
    byName.set(stored.key.name, stored)
    byHash.set(stored.hash, stored)
    if (stored.previous !== undefined) byHash.set(stored.previous.hash, stored)
  }

  function forgetHashes({ hash, previous }: StoredApiKey): void {
    byHash.delete(hash)
    if (previous !== undefined) byHash.delete(previous.hash)
  }

  function requireValid(key: ApiKey): void {
    if (key.revokedAt !== null) throw refusal(key, 'was revoked')
    if (key.expiresAt !== null && now() >= key.expiresAt) throw refusal(key, `expired on ${dayOf(key.expiresAt)}`)
  }

  function known(name: string): StoredApiKey {
    const stored = byName.get(name)
    if (stored === undefined) {
      throw new GatewayError('not_found', `There is no API key '${name.slice(0, 100)}'; list_api_keys lists all.`, {
        param: 'name',
      })
    }
    return stored
  }

  return {
    async load() {
      for (const stored of await store.load()) keep(stored)
    },
    find(token) {
      const hash = hashOf(token)
      const stored = byHash.get(hash)
      if (stored === undefined) return undefined
      const { key, previous } = stored
      requireValid(key)
      if (hash === previous?.hash && now() >= previous.until) throw refusal(key, 'was replaced by a newer one')
      return key
    },
    requireValid,
    exist: () => byName.size > 0,
    named: name => byName.get(name)?.key,
    list: () => [...byName.values()].map(({ key }) => key),
    async create(settings) {
      if (byName.size >= maxKeys)
        throw new GatewayError('conflict', `There are ${maxKeys} API keys; no more can be made.`)
      const token = newToken(randomBytes)
      const key: ApiKey = { ...settings, createdAt: Math.round(now()), revokedAt: null }
      const stored = { key, hash: hashOf(token), previous: undefined }
      if (isReserved(key.name) || !(await store.add(stored))) {
        throw new GatewayError('conflict', `The name '${key.name}' is or was another key's; choose another.`, {
          param: 'name',
        })
      }
      keep(stored)
      events.emit({ type: 'key.created', key: key.name })
      return { key, token }
    },
    async rotate(name, graceMs) {
      const { key, hash } = known(name)
      if (key.revokedAt !== null) {
        throw new GatewayError('conflict', `The API key '${name}' is revoked; create another one.`, { param: 'name' })
      }
      const token = newToken(randomBytes)
      const previous = graceMs > 0 ? { hash, until: now() + graceMs } : undefined
      const hashes = { hash: hashOf(token), previous }
      await store.rotate(name, hashes)
      keep({ key, ...hashes })
      events.emit({ type: 'key.rotated', key: name })
      return { key, token }
    },
    async revoke(name) {
      const stored = known(name)
      if (stored.key.revokedAt !== null) return stored.key
      const at = Math.round(now())
      await store.revoke(name, at)
      const key = { ...stored.key, revokedAt: at }
      keep({ ...stored, key })
      events.emit({ type: 'key.revoked', key: name })
      return key
    },
  }
}

function refusal({ name }: ApiKey, what: string): GatewayError {
  return new GatewayError('unauthorized', `The API key '${name}' ${what}.`)
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
