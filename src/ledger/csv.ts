import type { UsageReport } from './usage.ts'
import { UsageFigures } from './usage-tally.ts'

/** The rows of a report as RFC 4180 CSV with a header; no total row, so that a column can be summed. Null is an empty cell. */
export function usageCsv({ group_by, rows }: UsageReport): string {
  const names = Object.keys(UsageFigures.shape) as (keyof UsageFigures)[]
  const lines = rows.map(row => [...group_by.map(name => row.group[name] ?? null), ...names.map(name => row[name])])
  return [[...group_by, ...names], ...lines].map(cells => `${cells.map(csvCell).join(',')}\r\n`).join('')
}

function csvCell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const harmless = opensFormula.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/**
 * What makes a spreadsheet run a cell as a formula (OWASP "CSV Injection"); a leading apostrophe makes it text. The
 * apostrophe itself is in the set, so that a reader restores every text by removing one apostrophe.
 */
const opensFormula = /^[=+\-@\t\r\n'＝＋－＠]/
