import { createCalendar, type PeriodWindow } from '../accounting/calendar.ts'
import {
  propertyColumns,
  timeGroupings,
  type Grouping,
  type Property,
  type TimeGrouping,
  type UsageQuery,
} from './usage-query.ts'

/** The value of a group for each grouping; null where a request has none. */
export type GroupValues = readonly (string | null)[]

/** Finds the groups of a request: several where it has several tags, which each count it. */
export interface Groups {
  /** The columns of a request to read, after its time. */
  columns: readonly string[]
  /** `row`: the time of a request and then the values of those columns. */
  of: (row: readonly unknown[]) => GroupValues[]
}

export function createGroups(groupBy: readonly Grouping[], zone: string): Groups {
  const columns = groupBy.filter(isProperty).map(name => propertyColumns[name])
  let next = 1
  const readers = groupBy.map((name): ((row: readonly unknown[]) => string | null) => {
    if (isProperty(name)) {
      const column = next++
      return row => row[column] as string | null
    }
    const labelOf = timeLabel(name, zone)
    return row => labelOf(row[0] as number)
  })
  const tagAt = groupBy.indexOf('tag')
  return {
    columns,
    of(row) {
      const group = readers.map(read => read(row))
      const tags = group[tagAt] ?? null
      return tags === null ? [group] : tagsOf(tags).map(tag => group.with(tagAt, tag))
    },
  }
}

function isProperty(name: Grouping): name is Property {
  return !(timeGroupings as readonly string[]).includes(name)
}

function tagsOf(json: string): string[] {
  return [...new Set(JSON.parse(json) as string[])]
}

/** SQL conditions for the filters of a query, and their values. */
export function filtersOf(query: UsageQuery): { conditions: string[]; values: string[] } {
  const conditions: string[] = []
  const values: string[] = []
  for (const [name, column] of Object.entries(propertyColumns) as [Property, string][]) {
    const wanted = query[name]
    if (wanted === undefined) continue
    const marks = wanted.map(() => '?').join(', ')
    conditions.push(
      name === 'tag'
        ? `EXISTS (SELECT 1 FROM json_each(${column}) WHERE value IN (${marks}))`
        : `${column} IN (${marks})`,
    )
    values.push(...wanted)
  }
  return { conditions, values }
}

const minuteMs = 60_000

/** `2026-03-15` for a day, `2026-03-09` for the week that begins then, `2026-03` for a month, and UTC times for hours and minutes. */
function timeLabel(grouping: TimeGrouping, zone: string): (createdAt: number) => string {
  if (grouping === 'minute' || grouping === 'hour') {
    const stepMs = grouping === 'minute' ? minuteMs : 60 * minuteMs
    let last: { start: number; label: string } | undefined
    return createdAt => {
      const start = Math.floor(createdAt / stepMs) * stepMs
      if (last?.start !== start) last = { start, label: `${new Date(start).toISOString().slice(0, 16)}Z` }
      return last.label
    }
  }
  const calendar = createCalendar(zone)
  let window: PeriodWindow | undefined
  let label = ''
  return createdAt => {
    const found = calendar.windowOf(grouping, createdAt)
    if (found !== window) label = found.label.replace(/^\D+/, '')
    window = found
    return label
  }
}
