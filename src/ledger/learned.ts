import type Database from 'better-sqlite3'

/** One fact that was learned; `kind`, `subject` and `category` together are its name. */
export interface Fact {
  kind: string
  subject: string
  category: string
  /** Plain data. */
  value: unknown
}

/** What was learned so far, kept for the next start. */
export interface Learned {
  load: () => Fact[]
  /** In one transaction; a fact that is there already gets the new value. */
  save: (facts: readonly Fact[]) => void
}

export function createLearned(database: Database.Database): Learned {
  const select = database.prepare<[], { kind: string; subject: string; category: string; value: string }>(
    'SELECT kind, subject, category, value FROM evidence',
  )
  const upsert = database.prepare<[string, string, string, string]>(
    `INSERT INTO evidence (kind, subject, category, value) VALUES (?, ?, ?, ?)
     ON CONFLICT (kind, subject, category) DO UPDATE SET value = excluded.value`,
  )
  return {
    load: () => select.all().map(row => ({ ...row, value: JSON.parse(row.value) as unknown })),
    save: database.transaction((facts: readonly Fact[]) => {
      for (const { kind, subject, category, value } of facts) {
        upsert.run(kind, subject, category, JSON.stringify(value))
      }
    }),
  }
}
