import type Database from 'better-sqlite3'

/** One learned fact; `kind`, `subject` and `category` together are its key. */
export interface Fact {
  kind: string
  subject: string
  category: string
  /** Plain data. */
  value: unknown
}

/** Learned facts, stored for the next start. */
export interface Learned {
  load: () => Fact[]
  /** In one transaction; an existing fact gets the new value. */
  save: (facts: readonly Fact[]) => void
  /** In one transaction; a fact that is not there is no error. */
  remove: (facts: readonly Pick<Fact, 'kind' | 'subject' | 'category'>[]) => void
}

export function createLearned(database: Database.Database): Learned {
  const select = database.prepare<[], { kind: string; subject: string; category: string; value: string }>(
    'SELECT kind, subject, category, value FROM evidence',
  )
  const upsert = database.prepare<[string, string, string, string]>(
    `INSERT INTO evidence (kind, subject, category, value) VALUES (?, ?, ?, ?)
     ON CONFLICT (kind, subject, category) DO UPDATE SET value = excluded.value`,
  )
  const erase = database.prepare<[string, string, string]>(
    'DELETE FROM evidence WHERE kind = ? AND subject = ? AND category = ?',
  )
  return {
    load: () => select.all().map(row => ({ ...row, value: JSON.parse(row.value) as unknown })),
    save: database.transaction((facts: readonly Fact[]) => {
      for (const { kind, subject, category, value } of facts) {
        upsert.run(kind, subject, category, JSON.stringify(value))
      }
    }),
    remove: database.transaction((facts: readonly Pick<Fact, 'kind' | 'subject' | 'category'>[]) => {
      for (const { kind, subject, category } of facts) erase.run(kind, subject, category)
    }),
  }
}
