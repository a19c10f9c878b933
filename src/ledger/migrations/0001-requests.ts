import type { Migration } from './index.ts'

// `request_seq` rather than the text id: attempts then append to their table, and deleting a request deletes them too.
export const requests: Migration = {
  version: 1,
  sql: `
    CREATE TABLE requests (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      endpoint TEXT NOT NULL,
      key_id TEXT NOT NULL,
      session TEXT,
      requested_model TEXT NOT NULL,
      provider TEXT,
      model TEXT,
      upstream_model TEXT,
      tier TEXT,
      outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'error', 'cancelled')),
      failure_code TEXT,
      status INTEGER NOT NULL,
      stream INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      input_tokens INTEGER NOT NULL,
      cache_read_tokens INTEGER NOT NULL,
      cache_write_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL,
      reasoning_tokens INTEGER NOT NULL,
      usage_estimated INTEGER NOT NULL,
      cost_usd REAL,
      ttft_ms REAL,
      duration_ms REAL NOT NULL,
      queue_ms REAL,
      route_ms REAL,
      reason TEXT
    ) STRICT;
    CREATE INDEX requests_by_time ON requests (created_at);

    CREATE TABLE attempts (
      request_seq INTEGER NOT NULL REFERENCES requests (seq) ON DELETE CASCADE,
      ordinal INTEGER NOT NULL,
      provider TEXT NOT NULL,
      model TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'error', 'cancelled')),
      failure_code TEXT,
      message TEXT,
      status INTEGER,
      ttft_ms REAL,
      duration_ms REAL NOT NULL,
      input_tokens INTEGER NOT NULL,
      cache_read_tokens INTEGER NOT NULL,
      cache_write_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL,
      reasoning_tokens INTEGER NOT NULL,
      usage_estimated INTEGER NOT NULL,
      cost_usd REAL,
      PRIMARY KEY (request_seq, ordinal)
    ) STRICT, WITHOUT ROWID;
  `,
}
