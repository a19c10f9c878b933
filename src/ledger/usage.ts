import { setImmediate } from 'node:timers/promises'
import type Database from 'better-sqlite3'
import { z } from 'zod'
import { createCalendar } from '../accounting/calendar.ts'
import { GatewayError } from '../errors.ts'
import { rangeOf, type TimeRange } from './period.ts'
import { createGroups, filtersOf, type GroupValues, type Groups } from './usage-groups.ts'
import { groupings, timeGroupings, type UsageQuery } from './usage-query.ts'
import { createTally, tallyColumns, UsageFigures, type Tally } from './usage-tally.ts'

export const UsageReport = z.object({
  from: z.string().nullable().describe('Start of the period, inclusive; null: since the first record.'),
  to: z.string().describe('End of the period, exclusive.'),
  time_zone: z.string(),
  group_by: z.array(z.enum(groupings)),
  rows: z
    .array(
      UsageFigures.extend({
        group: z
          .partialRecord(z.enum(groupings), z.string().nullable())
          .describe('The value of each grouping; null: requests without one, such as those that no model answered.'),
      }),
    )
    .describe('In the order of time where grouped by it, then with the most expensive first.'),
  totals: UsageFigures.describe('Of all rows, also those of other pages. A request with several tags counts once.'),
  next_page: z.string().nullable().describe('The `page` of the rows that follow; null: there are none.'),
})
export type UsageReport = z.output<typeof UsageReport>

/**
 * Sums up the requests of a query: those of the API key `keyId`, or all. Rejects with the signal's reason when it is
 * aborted, and with `invalid_request` if there are more than 10,000 groups.
 */
export type ReadUsage = (query: UsageQuery, nowMs: number, signal?: AbortSignal, keyId?: string) => Promise<UsageReport>

/** Requests read before yielding to the event loop; about 2 ms. */
const sliceRows = 250
/** Groups of rows that are worked out before yielding. */
const figuresAtOnce = 200
const maxGroups = 10_000

export function createUsageReader(database: Database.Database): ReadUsage {
  const sliceEnd = database
    .prepare<[number, number], number>(
      `SELECT created_at FROM requests WHERE created_at >= ? AND created_at < ? ORDER BY created_at LIMIT 1 OFFSET ${sliceRows}`,
    )
    .pluck()

  /** Splits a range into slices of about `sliceRows` requests; more only where one millisecond has more. */
  function* slices({ fromMs, toMs }: TimeRange): Generator<TimeRange> {
    let start = fromMs
    while (start < toMs) {
      const end = Math.max(sliceEnd.get(start, toMs) ?? toMs, start + 1)
      yield { fromMs: start, toMs: end }
      start = end
    }
  }

  return async (query, nowMs, signal, keyId) => {
    const { group_by, time_zone = 'UTC', limit = maxGroups, page = 0 } = query
    const range = rangeOf(query, nowMs, createCalendar(time_zone))
    const groups = createGroups(group_by, time_zone)
    const { conditions, values } = filtersOf(query)
    const select = database
      .prepare(selectFor(groups, [...(keyId === undefined ? [] : ['key_id = ?']), ...conditions]))
      .raw()
    const more = keyId === undefined ? values : [keyId, ...values]
    const sums = createSums(groups)
    for (const { fromMs, toMs } of slices(range)) {
      for (const row of select.all(fromMs, toMs, ...more)) sums.add(row as unknown[])
      await setImmediate()
      signal?.throwIfAborted()
    }
    const found = sums
      .groups()
      .map(ranked)
      .sort(group_by.some(isTime) ? byTimeAndCost(group_by) : byCost)
    const rows: UsageReport['rows'] = []
    for (const { group, tally } of found.slice(page, page + limit)) {
      rows.push({ group: Object.fromEntries(group_by.map((name, at) => [name, group[at]])), ...tally.figures() })
      if (rows.length % figuresAtOnce === 0) await setImmediate()
    }
    const after = page + rows.length
    return {
      from: range.fromMs <= 0 ? null : new Date(range.fromMs).toISOString(),
      to: new Date(range.toMs).toISOString(),
      time_zone,
      group_by: [...group_by],
      rows,
      totals: sums.totals.figures(),
      next_page: after < found.length ? String(after) : null,
    }
  }
}

function selectFor({ columns }: Groups, conditions: readonly string[]): string {
  return `SELECT ${['created_at', ...columns, ...tallyColumns].join(', ')} FROM requests
    WHERE ${['created_at >= ?', 'created_at < ?', ...conditions].join(' AND ')}`
}

interface Group {
  group: GroupValues
  tally: Tally
}

/** A group with what it is sorted by. */
interface RankedGroup extends Group {
  cost: number
  requests: number
  label: string
}

function ranked({ group, tally }: Group): RankedGroup {
  return { group, tally, cost: tally.cost(), requests: tally.requests(), label: JSON.stringify(group) }
}

function createSums(groups: Groups) {
  const tallies = new Map<string, Group>()
  const totals = createTally()
  const start = 1 + groups.columns.length
  return {
    totals,
    add(row: readonly unknown[]): void {
      totals.add(row, start)
      for (const group of groups.of(row)) {
        const [first = null] = group
        const key = group.length > 1 ? JSON.stringify(group) : first === null ? '' : `=${first}`
        let found = tallies.get(key)
        if (found === undefined) {
          if (tallies.size >= maxGroups) throw tooManyGroups()
          tallies.set(key, (found = { group, tally: createTally() }))
        }
        found.tally.add(row, start)
      }
    },
    groups: () => [...tallies.values()],
  }
}

function tooManyGroups(): GatewayError {
  return new GatewayError(
    'invalid_request',
    `The report has more than ${maxGroups} groups: choose a shorter period, a filter, or fewer groupings.`,
    { param: 'group_by' },
  )
}

function isTime(name: UsageQuery['group_by'][number]): boolean {
  return (timeGroupings as readonly string[]).includes(name)
}

function byTimeAndCost(groupBy: UsageQuery['group_by']): (a: RankedGroup, b: RankedGroup) => number {
  const places = groupBy.flatMap((name, place) => (isTime(name) ? [place] : []))
  return (a, b) => {
    for (const place of places) {
      const [first, second] = [a.group[place] ?? '', b.group[place] ?? '']
      if (first !== second) return first < second ? -1 : 1
    }
    return byCost(a, b)
  }
}

function byCost(a: RankedGroup, b: RankedGroup): number {
  return b.cost - a.cost || b.requests - a.requests || (a.label < b.label ? -1 : 1)
}
