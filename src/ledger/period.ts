import { z } from 'zod'
import { createCalendar, type Calendar, type PeriodWindow } from '../accounting/calendar.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000

const IsoInstant = z.union([z.iso.date(), z.iso.datetime({ offset: true })])
// A check rather than a union: as JSON Schema the date patterns would take a kilobyte of every tool list.
const Instant = z.string().refine(text => IsoInstant.safeParse(text).success, {
  error: 'must be a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z',
})

/** The query fields that select a period. */
export const periodFields = {
  period: z
    .string()
    .regex(/^(today|day|week|month|all|[1-9]\d{0,3}[dh])$/, {
      error: 'must be today, day, week, month, all, or a number of days or hours such as 7d or 24h',
    })
    .optional()
    .describe(
      'today (since midnight), day, week, month (the last 1, 7, 30 days), all, or a duration such as 7d or 24h.',
    ),
  from: Instant.optional().describe('Instead of period: the start date or time, inclusive.'),
  to: Instant.optional().describe('The end: a date is inclusive, a time exclusive.'),
} as const
export type Period = z.output<z.ZodObject<typeof periodFields>>

/** Milliseconds since the epoch: `fromMs` inclusive, `toMs` exclusive. */
export interface TimeRange {
  fromMs: number
  toMs: number
}

/** Names a contradiction between the fields of a period; undefined when there is none. */
export function periodProblem({ period, from, to }: Period): string | undefined {
  if (period !== undefined && (from !== undefined || to !== undefined)) return 'use either period, or from and to'
  if (from !== undefined && to !== undefined && isAfter(from, to)) return 'from must be before to'
  return undefined
}

/** The range of a valid period at `nowMs`, whose dates are those of `calendar`; the last 30 days by default. */
export function rangeOf({ period, from, to }: Period, nowMs: number, calendar: Calendar): TimeRange {
  // The current millisecond counts: what was recorded just now is part of "today".
  const untilNow = nowMs + 1
  if (from !== undefined || to !== undefined) {
    return {
      fromMs: from === undefined ? 0 : startOf(from, calendar),
      toMs: to === undefined ? untilNow : endOf(to, calendar),
    }
  }
  return { fromMs: startOfPeriod(period ?? 'month', nowMs, calendar), toMs: untilNow }
}

function isAfter(from: string, to: string): boolean {
  const utc = createCalendar('UTC')
  return startOf(from, utc) >= endOf(to, utc)
}

function startOfPeriod(period: string, nowMs: number, calendar: Calendar): number {
  if (period === 'all') return 0
  if (period === 'today') return calendar.windowOf('day', nowMs).start
  const days = namedDays[period]
  if (days !== undefined) return nowMs - days * dayMs
  return nowMs - Number.parseInt(period, 10) * (period.endsWith('d') ? dayMs : hourMs)
}

const namedDays: Readonly<Record<string, number>> = { day: 1, week: 7, month: 30 }

function startOf(instant: string, calendar: Calendar): number {
  return isDate(instant) ? dayNamed(instant, calendar).start : Date.parse(instant)
}

function endOf(instant: string, calendar: Calendar): number {
  return isDate(instant) ? dayNamed(instant, calendar).end : Date.parse(instant)
}

/** A date's day in the time zone of a calendar: at noon UTC it is that day, or the next or the one before. */
function dayNamed(date: string, calendar: Calendar): PeriodWindow {
  const noon = Date.parse(date) + dayMs / 2
  const window = calendar.windowOf('day', noon)
  if (window.label === date) return window
  return calendar.windowOf('day', window.label > date ? noon - dayMs / 2 : noon + dayMs / 2)
}

function isDate(instant: string): boolean {
  return !instant.includes('T')
}
