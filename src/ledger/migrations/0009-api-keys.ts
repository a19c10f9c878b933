import type { Migration } from './index.ts'

/** API keys that Signalbox issued. Revoked ones stay, since their names own what their requests created. */
export const apiKeys: Migration = {
  version: 9,
  sql: `
    CREATE TABLE api_keys (
      name TEXT PRIMARY KEY,
      hash TEXT NOT NULL UNIQUE,
      previous_hash TEXT UNIQUE,
      previous_until INTEGER,
      settings TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER
    ) STRICT;
  `,
}
