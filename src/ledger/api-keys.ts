import type Database from 'better-sqlite3'
import type { ApiKey } from '../accounting/api-key.ts'

/** A key as it is stored: hashes stand for the tokens that it is presented by. */
export interface StoredApiKey {
  key: ApiKey
  hash: string
  /** The token before the last rotation, and until when it still counts: milliseconds since the epoch. */
  previous: { hash: string; until: number } | undefined
}

export interface ApiKeyStore {
  /** All of them, revoked ones included, the oldest first. */
  load: () => Promise<StoredApiKey[]>
  /** False, and nothing is stored, if the name exists. */
  add: (stored: StoredApiKey) => Promise<boolean>
  /** Replaces the hashes of a key. */
  rotate: (name: string, hashes: Pick<StoredApiKey, 'hash' | 'previous'>) => Promise<void>
  revoke: (name: string, at: number) => Promise<void>
}

type Settings = Omit<ApiKey, 'name' | 'createdAt' | 'expiresAt' | 'revokedAt'>

interface Row {
  name: string
  hash: string
  previous_hash: string | null
  previous_until: number | null
  settings: string
  created_at: number
  expires_at: number | null
  revoked_at: number | null
}

export function createApiKeyStore(database: Database.Database): ApiKeyStore {
  const select = database.prepare<[], Row>('SELECT * FROM api_keys ORDER BY created_at, name')
  const insert = database.prepare<Row>(
    `INSERT INTO api_keys (name, hash, previous_hash, previous_until, settings, created_at, expires_at, revoked_at)
     VALUES (@name, @hash, @previous_hash, @previous_until, @settings, @created_at, @expires_at, @revoked_at)
     ON CONFLICT (name) DO NOTHING`,
  )
  const updateHashes = database.prepare<[string, string | null, number | null, string]>(
    'UPDATE api_keys SET hash = ?, previous_hash = ?, previous_until = ? WHERE name = ?',
  )
  const setRevoked = database.prepare<[number, string]>(
    'UPDATE api_keys SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL',
  )

  return {
    load: async () => select.all().map(storedKey),
    add: async stored => insert.run(rowOf(stored)).changes > 0,
    rotate: async (name, { hash, previous }) => {
      updateHashes.run(hash, previous?.hash ?? null, rounded(previous?.until), name)
    },
    revoke: async (name, at) => {
      setRevoked.run(Math.round(at), name)
    },
  }
}

function storedKey(row: Row): StoredApiKey {
  const { name, hash, previous_hash, previous_until, settings, created_at, expires_at, revoked_at } = row
  return {
    key: {
      ...(JSON.parse(settings) as Settings),
      name,
      createdAt: created_at,
      expiresAt: expires_at,
      revokedAt: revoked_at,
    },
    hash,
    previous: previous_hash === null ? undefined : { hash: previous_hash, until: previous_until ?? 0 },
  }
}

function rowOf({ key, hash, previous }: StoredApiKey): Row {
  const { name, createdAt, expiresAt, revokedAt, ...settings } = key
  return {
    name,
    hash,
    previous_hash: previous?.hash ?? null,
    previous_until: rounded(previous?.until),
    settings: JSON.stringify(settings),
    created_at: Math.round(createdAt),
    expires_at: rounded(expiresAt),
    revoked_at: rounded(revokedAt),
  }
}

function rounded(ms: number | null | undefined): number | null {
  return ms == null ? null : Math.round(ms)
}
