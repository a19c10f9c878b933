import type { Migration } from './index.ts'

/** What a cost is made of, and whether it is that of a call which ended early; the latter may be corrected by `generation_id`. */
export const charges: Migration = {
  version: 7,
  sql: `
    ALTER TABLE requests ADD COLUMN partial INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE requests ADD COLUMN energy_usd REAL NOT NULL DEFAULT 0;
    ALTER TABLE requests ADD COLUMN byok_cost_usd REAL NOT NULL DEFAULT 0;
    ALTER TABLE attempts ADD COLUMN partial INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE attempts ADD COLUMN energy_usd REAL NOT NULL DEFAULT 0;
    ALTER TABLE attempts ADD COLUMN byok_cost_usd REAL NOT NULL DEFAULT 0;
    ALTER TABLE attempts ADD COLUMN generation_id TEXT;
    CREATE INDEX attempts_uncorrected ON attempts (started_at) WHERE usage_estimated = 1 AND generation_id IS NOT NULL;
  `,
}
