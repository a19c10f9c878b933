/** Periods after which a budget begins anew. */
export const calendarPeriods = ['hour', 'day', 'week', 'month'] as const
export type CalendarPeriod = (typeof calendarPeriods)[number]

/** One period: `start` inclusive, `end` exclusive, milliseconds since the epoch. */
export interface PeriodWindow {
  /** Names the period whatever the time zone, so that a changed zone does not begin it anew: `2026-03`, `2026-03-29`. */
  label: string
  start: number
  end: number
}

/** Finds the period that a moment belongs to. Days, weeks (from Monday) and months begin at midnight in the operator's time zone. */
export interface Calendar {
  windowOf: (period: CalendarPeriod, atMs: number) => PeriodWindow
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A day of the calendar, as the number of days since 1970-01-01. */
type DayNumber = number

/** `zone`: an IANA time zone such as `Europe/Berlin`. Keeps the last window of each period, since moments come in order. */
export function createCalendar(zone: string): Calendar {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  })
  const last = new Map<CalendarPeriod, PeriodWindow>()

  function dayOf(atMs: number): DayNumber {
    const part = { year: 0, month: 0, day: 0 }
    for (const { type, value } of format.formatToParts(atMs)) {
      if (type === 'year' || type === 'month' || type === 'day') part[type] = Number(value)
    }
    return Date.UTC(part.year, part.month - 1, part.day) / dayMs
  }

  /** The first moment of a day. Where a change of the clock skips midnight, it is the moment of the change. */
  function startOf(day: DayNumber): number {
    // No zone is more than 14 hours from UTC.
    let before = day * dayMs - 15 * hourMs
    let after = day * dayMs + 15 * hourMs
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (dayOf(middle) < day) before = middle
      else after = middle
    }
    return after
  }

  function find(period: CalendarPeriod, atMs: number): PeriodWindow {
    if (period === 'hour') return hourOf(atMs)
    const { first, next, label } = boundsOf[period](dayOf(atMs))
    return { label, start: startOf(first), end: startOf(next) }
  }

  return {
    windowOf(period, atMs) {
      const known = last.get(period)
      if (known !== undefined && atMs >= known.start && atMs < known.end) return known
      const found = find(period, atMs)
      last.set(period, found)
      return found
    },
  }
}

/** Hours are those of UTC: they all last sixty minutes, and a change of the clock repeats none. */
function hourOf(atMs: number): PeriodWindow {
  const start = Math.floor(atMs / hourMs) * hourMs
  return { label: `${new Date(start).toISOString().slice(0, 13)}Z`, start, end: start + hourMs }
}

interface DayRange {
  first: DayNumber
  next: DayNumber
  label: string
}

const boundsOf: Readonly<Record<Exclude<CalendarPeriod, 'hour'>, (day: DayNumber) => DayRange>> = {
  day: day => ({ first: day, next: day + 1, label: dateText(day) }),
  week(day) {
    // 1970-01-01 was a Thursday.
    const first = day - ((((day + 3) % 7) + 7) % 7)
    return { first, next: first + 7, label: `week of ${dateText(first)}` }
  },
  month(day) {
    const date = new Date(day * dayMs)
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
    const first = Date.UTC(year, month, 1) / dayMs
    return { first, next: Date.UTC(year, month + 1, 1) / dayMs, label: dateText(first).slice(0, 7) }
  },
}

function dateText(day: DayNumber): string {
  return new Date(day * dayMs).toISOString().slice(0, 10)
}
