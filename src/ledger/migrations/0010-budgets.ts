import type { Migration } from './index.ts'

/**
 * Budgets in picodollars (1e-12 USD). `held` is what calls in progress may still cost; `assumed` is the part of `settled` that
 * was held by calls whose end nobody saw.
 */
export const budgets: Migration = {
  version: 10,
  sql: `
    CREATE TABLE budgets (
      name TEXT PRIMARY KEY,
      scope TEXT NOT NULL,
      subject TEXT,
      limit_picos INTEGER NOT NULL CHECK (limit_picos >= 0),
      period TEXT NOT NULL,
      is_hard INTEGER NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE budget_windows (
      budget TEXT NOT NULL REFERENCES budgets (name) ON DELETE CASCADE,
      subject TEXT NOT NULL,
      period_window TEXT NOT NULL,
      settled INTEGER NOT NULL DEFAULT 0 CHECK (settled >= 0),
      held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
      assumed INTEGER NOT NULL DEFAULT 0,
      share_told INTEGER NOT NULL DEFAULT 0,
      resets_at INTEGER,
      touched_at INTEGER NOT NULL,
      PRIMARY KEY (budget, subject, period_window)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE reservations (
      request_id TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      held INTEGER NOT NULL,
      estimate INTEGER,
      buckets TEXT NOT NULL,
      reserved_at INTEGER NOT NULL,
      PRIMARY KEY (request_id, ordinal)
    ) STRICT, WITHOUT ROWID;
  `,
}
