import type { Migration } from './index.ts'

/** What the router learned, fact by fact; only the newest value of a fact is kept. */
export const evidence: Migration = {
  version: 5,
  sql: `
    CREATE TABLE evidence (
      kind TEXT NOT NULL,
      subject TEXT NOT NULL,
      category TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (kind, subject, category)
    ) STRICT, WITHOUT ROWID;
  `,
}
