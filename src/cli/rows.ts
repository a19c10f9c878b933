import { renderTable } from './table.ts'

/** One measured figure of a bench. `low` and `high` bound it (95 % unless the bench says otherwise). */
export interface Row {
  name: string
  value: number
  unit: string
  low?: number
  high?: number
  goal?: number
  met?: boolean
}

/** Which side of the goal is good. */
export type Direction = 'at_least' | 'at_most' | 'above'

/** A row whose `met` follows from its value and goal. */
export function goalRow(row: Omit<Row, 'met' | 'goal'>, direction: Direction, goal: number): Row {
  const { value } = row
  return {
    ...row,
    goal,
    met: direction === 'above' ? value > goal : direction === 'at_least' ? value >= goal : value <= goal,
  }
}

/** What a bench prints: one JSON object for programs, or an aligned table for people. */
export function renderReport(rows: readonly Row[], json: boolean): string {
  if (json) return JSON.stringify({ rows })
  const cells = rows.map(row => [
    row.name,
    figure(row.value),
    row.unit,
    row.low === undefined || row.high === undefined ? '' : `[${figure(row.low)}, ${figure(row.high)}]`,
    row.goal === undefined ? '' : `goal ${figure(row.goal)}`,
    row.met === undefined ? '' : row.met ? 'met' : 'MISSED',
  ])
  return renderTable(cells, [1, 2, 3, 4, 5]).trimEnd()
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4)
}
