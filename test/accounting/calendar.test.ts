import fc from 'fast-check'
import t from 'tap'
import { calendarPeriods, createCalendar } from '../../src/accounting/calendar.ts'

// Zones whose clocks change at midnight, by half an hour, twice a year in either hemisphere, that left out a day, and that never change.
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'Asia/Beirut',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Africa/Casablanca',
] as const

const hourMs = 3_600_000
const moment = fc.integer({ min: Date.parse('2005-01-01'), max: Date.parse('2040-01-01') })

t.test('periods follow one another without a gap, and every moment is in exactly one of them', async t => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.constantFrom(...calendarPeriods), moment, (zone, period, atMs) => {
      const { windowOf } = createCalendar(zone)
      const { start, end, label } = windowOf(period, atMs)
      const others = [windowOf(period, end), windowOf(period, start - 1)]
      return (
        start <= atMs &&
        atMs < end &&
        [start, end - 1].every(each => windowOf(period, each).label === label) &&
        others[0]!.start === end &&
        others[1]!.end === start &&
        others.every(other => other.label !== label)
      )
    }),
    { numRuns: 600 },
  )
  t.pass('held in every run')
})

t.test('a period begins where the calendar on the wall turns to its first day', async t => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.constantFrom('day', 'week', 'month'), moment, (zone, period, atMs) => {
      const wall = (ms: number) => new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short' }).format(ms)
      const weekday = (ms: number) => new Intl.DateTimeFormat('en', { timeZone: zone, weekday: 'long' }).format(ms)
      const { start } = createCalendar(zone).windowOf(period, atMs)
      if (wall(start) === wall(start - 1)) return false
      // Apia had no Friday in the last week of 2011; all other weeks and months begin with their first day.
      if (period === 'week') return weekday(start) === 'Monday'
      return period === 'day' ? wall(start) === wall(atMs) : wall(start) === `${wall(atMs).slice(0, 7)}-01`
    }),
    { numRuns: 600 },
  )
  t.pass('held in every run')
})

t.test('days around a change of the clock are as long as they are', async t => {
  const lengths = (zone: string, from: string) => {
    const { start, end } = createCalendar(zone).windowOf('day', Date.parse(from))
    return { hours: (end - start) / hourMs, start: new Date(start).toISOString() }
  }
  t.same(lengths('Europe/Berlin', '2026-03-29T12:00:00Z'), { hours: 23, start: '2026-03-28T23:00:00.000Z' })
  t.same(lengths('Europe/Berlin', '2026-10-25T12:00:00Z'), { hours: 25, start: '2026-10-24T22:00:00.000Z' })
  // Clocks went from 23:59 to 01:00, so that the day has no midnight.
  t.same(lengths('America/Sao_Paulo', '2018-11-04T12:00:00Z'), { hours: 23, start: '2018-11-04T03:00:00.000Z' })
  t.same(lengths('Australia/Lord_Howe', '2026-04-05T04:00:00Z'), { hours: 24.5, start: '2026-04-04T13:00:00.000Z' })
})

t.test('months end where they end', async t => {
  const { windowOf } = createCalendar('Europe/Berlin')
  const month = (at: string) => {
    const { label, start, end } = windowOf('month', Date.parse(at))
    return [label, new Date(start).toISOString(), new Date(end).toISOString()]
  }
  t.same(month('2028-02-29T22:59:59Z'), ['2028-02', '2028-01-31T23:00:00.000Z', '2028-02-29T23:00:00.000Z'])
  t.same(month('2028-02-29T23:00:00Z'), ['2028-03', '2028-02-29T23:00:00.000Z', '2028-03-31T22:00:00.000Z'])
  t.same(month('2026-12-31T23:30:00Z'), ['2027-01', '2026-12-31T23:00:00.000Z', '2027-01-31T23:00:00.000Z'])
})
