import type { Migration } from './index.ts'

// Unlike requests, tasks keep their text and their result: their caller fetches them later.
export const tasks: Migration = {
  version: 3,
  sql: `
    CREATE TABLE tasks (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      state TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      finished_at INTEGER,
      asked_by TEXT NOT NULL,
      spec TEXT NOT NULL,
      outcome TEXT
    ) STRICT;
    CREATE INDEX tasks_by_age ON tasks (created_at);
    CREATE INDEX tasks_unfinished ON tasks (state) WHERE finished_at IS NULL;

    CREATE TABLE jobs (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      task_seq INTEGER NOT NULL REFERENCES tasks (seq) ON DELETE CASCADE,
      state TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      finished_at INTEGER,
      provider TEXT,
      model TEXT,
      failure_code TEXT,
      message TEXT
    ) STRICT;
    CREATE INDEX jobs_by_task ON jobs (task_seq);
    CREATE INDEX jobs_unfinished ON jobs (state) WHERE finished_at IS NULL;
  `,
}
