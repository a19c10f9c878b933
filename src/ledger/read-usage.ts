import { ledgerFailure, openReadOnly } from './database.ts'
import { createUsageReader, type UsageReport } from './usage.ts'
import type { UsageQuery } from './usage-query.ts'

/**
 * Reads the usage from a ledger file without changing it, for a process that does not own it.
 * Throws `ledger_unavailable` when the file is absent, damaged, foreign, or of another schema.
 */
export async function readUsage(file: string, query: UsageQuery, nowMs: number): Promise<UsageReport> {
  const database = openReadOnly(file)
  try {
    return await createUsageReader(database)(query, nowMs)
  } catch (error) {
    throw ledgerFailure(file, error)
  } finally {
    database.close()
  }
}
