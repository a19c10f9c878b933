import type { Migration } from './index.ts'

/** What agents report about models: how to prompt one, and how good an answer was. */
export const agents: Migration = {
  version: 4,
  sql: `
    CREATE TABLE prompting_strategies (
      model TEXT PRIMARY KEY,
      strategy TEXT NOT NULL,
      set_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE ratings (
      request_id TEXT PRIMARY KEY,
      score REAL NOT NULL,
      comment TEXT,
      rated_at INTEGER NOT NULL,
      rated_by TEXT NOT NULL
    ) STRICT;
  `,
}
