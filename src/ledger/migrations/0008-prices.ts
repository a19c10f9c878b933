import type { Migration } from './index.ts'

/** Parts of the token counts, what a cost was computed from, what the same tokens cost elsewhere, and what was asked for. */
export const prices: Migration = {
  version: 8,
  sql: `
    CREATE TABLE prices (
      id INTEGER PRIMARY KEY,
      price TEXT NOT NULL UNIQUE
    ) STRICT;

    ${['requests', 'attempts']
      .map(
        table => `
    ALTER TABLE ${table} ADD COLUMN cache_write_1h_tokens INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE ${table} ADD COLUMN audio_input_tokens INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE ${table} ADD COLUMN image_input_tokens INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE ${table} ADD COLUMN audio_output_tokens INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE ${table} ADD COLUMN image_output_tokens INTEGER NOT NULL DEFAULT 0;`,
      )
      .join('')}
    ALTER TABLE attempts ADD COLUMN cost_source TEXT;
    ALTER TABLE attempts ADD COLUMN price_id INTEGER REFERENCES prices (id);
    ALTER TABLE attempts ADD COLUMN price_at INTEGER;
    ALTER TABLE requests ADD COLUMN tags TEXT;
    ALTER TABLE requests ADD COLUMN task TEXT;
    ALTER TABLE requests ADD COLUMN reference_model TEXT;
    ALTER TABLE requests ADD COLUMN reference_cost_usd REAL;
    CREATE INDEX attempts_by_generation ON attempts (generation_id) WHERE generation_id IS NOT NULL;
    CREATE INDEX attempts_by_provider ON attempts (provider, started_at) WHERE generation_id IS NOT NULL;

    CREATE TABLE reconciliations (
      provider TEXT NOT NULL,
      at INTEGER NOT NULL,
      billed_usd REAL NOT NULL,
      byok_usd REAL NOT NULL,
      PRIMARY KEY (provider, at)
    ) STRICT, WITHOUT ROWID;
  `,
}
