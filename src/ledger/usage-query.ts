import { z } from 'zod'
import { periodFields, periodProblem, type Period } from './period.ts'
import { outcomes } from './record.ts'

/** Groupings by time; the others are properties of a request. */
export const timeGroupings = ['minute', 'hour', 'day', 'week', 'month'] as const
export type TimeGrouping = (typeof timeGroupings)[number]

/** The SQL of each property that usage can be grouped and filtered by. */
export const propertyColumns = {
  model: 'model',
  provider: 'provider',
  tier: 'tier',
  key: 'key_id',
  /** The person or team that the key was issued to. */
  owner: `(SELECT json_extract(settings, '$.owner') FROM api_keys WHERE name = key_id)`,
  session: 'session',
  tag: 'tags',
  task: 'task',
  endpoint: 'endpoint',
  outcome: 'outcome',
} as const
export type Property = keyof typeof propertyColumns
export const properties = Object.keys(propertyColumns) as Property[]

/** What usage can be grouped by. */
export type Grouping = TimeGrouping | Property
export const groupings: readonly [Grouping, ...Grouping[]] = ['model', ...timeGroupings, ...properties.slice(1)]

const maxGroupings = 4
const maxValues = 50
/** Most rows of one page. */
export const maxRows = 10_000

/** A list, or its items separated by commas. */
function listOf<Item extends z.ZodType<string, string>>(item: Item, max: number) {
  return z
    .union([z.string(), z.array(z.string()).max(max)])
    .transform(given => (typeof given === 'string' ? given.split(',').map(each => each.trim()) : given))
    .pipe(z.array(item).min(1).max(max))
}

const filter = listOf(z.string().min(1).max(200), maxValues)
  .optional()
  .describe('Only requests with one of these values.')

const timeZone = z.string().max(64).refine(isTimeZone, { error: 'must be a time zone such as UTC or Europe/Berlin' })

/** The fields of a query: a period (see `rangeOf`), groupings, filters and a page. */
export const UsageFields = z.strictObject({
  ...periodFields,
  group_by: listOf(z.enum(groupings), maxGroupings)
    .default(['model'])
    .describe(`One row per group: up to ${maxGroupings} of ${groupings.join(', ')}, separated by commas.`),
  ...(Object.fromEntries(properties.map(name => [name, filter])) as Record<Property, typeof filter>),
  outcome: listOf(z.enum(outcomes), outcomes.length).optional().describe('ok, error or cancelled.'),
  time_zone: timeZone.optional().describe('Time zone of dates and of groups by time; UTC by default.'),
  limit: z.coerce.number().int().min(1).max(maxRows).default(1000).describe('Rows per page.'),
  page: z.coerce.number().int().min(0).max(1_000_000).optional().describe('`next_page` of the page before.'),
})

/** The same, checked as a whole. */
export const UsageRequest = UsageFields.superRefine((query, context) => {
  const problem = periodProblem(query)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

/** What to sum up. */
export interface UsageQuery extends Period, Partial<Record<Property, readonly string[] | undefined>> {
  group_by: readonly Grouping[]
  time_zone?: string | undefined
  /** Rows per page; all by default. */
  limit?: number | undefined
  /** Rows before the page. */
  page?: number | undefined
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== ''
  } catch {
    return false
  }
}
