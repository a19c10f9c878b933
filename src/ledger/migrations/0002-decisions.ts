import type { Migration } from './index.ts'

// Separate from `requests`, so that reading usage does not page through kilobytes of JSON.
export const decisions: Migration = {
  version: 2,
  sql: `
    CREATE TABLE decisions (
      request_seq INTEGER PRIMARY KEY REFERENCES requests (seq) ON DELETE CASCADE,
      decision TEXT NOT NULL
    ) STRICT;
  `,
}
