import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { sumUsd } from '../accounting/money.ts'
import { GatewayError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { UsageReport } from '../ledger/usage.ts'
import type { Grouping, TimeGrouping } from '../ledger/usage-query.ts'
import { ownerShownTo, requireScope } from '../operations/access.ts'
import { disconnectSignal } from '../operations/disconnect-signal.ts'
import { mediaEndpoints } from '../wire/media.ts'
import { readFields } from '../wire/read-body.ts'

/** How long OpenAI's buckets are, how many come per page, and at most. */
const widths = {
  '1m': { grouping: 'minute', seconds: 60, usual: 60, most: 1440 },
  '1h': { grouping: 'hour', seconds: 3600, usual: 24, most: 168 },
  '1d': { grouping: 'day', seconds: 86_400, usual: 7, most: 31 },
} as const satisfies Record<string, { grouping: TimeGrouping; seconds: number; usual: number; most: number }>
const mostDaysOfCosts = 180

const list = z.union([z.array(z.string()), z.string().transform(text => [text])]).optional()
const seconds = z.coerce.number().int().min(0).max(100_000_000_000)
const bucketFields = {
  start_time: seconds.describe('Unix time in seconds, inclusive.'),
  end_time: seconds.optional().describe('Unix time in seconds, exclusive.'),
  project_ids: list,
  user_ids: list,
  api_key_ids: list.describe('Names of API keys.'),
  limit: z.coerce.number().int().min(1).optional().describe('Buckets per page.'),
  page: z.string().max(20).optional().describe('`next_page` of the page before.'),
}

/** As `organization/usage/*` takes it. */
export const OrganizationUsageQuery = z.object({
  ...bucketFields,
  bucket_width: z.enum(['1m', '1h', '1d']).default('1d'),
  models: list,
  batch: z.stringbool().optional(),
  group_by: z.array(z.enum(['project_id', 'user_id', 'api_key_id', 'model', 'batch', 'service_tier'])).default([]),
})

/** As `organization/costs` takes it. */
export const OrganizationCostsQuery = z.object({
  ...bucketFields,
  bucket_width: z.literal('1d').default('1d'),
  group_by: z.array(z.enum(['project_id', 'line_item', 'api_key_id'])).default([]),
})

/** A page of OpenAI's usage or costs. */
export const OrganizationPage = z.object({
  object: z.literal('page'),
  data: z.array(
    z.object({
      object: z.literal('bucket'),
      start_time: z.int(),
      end_time: z.int(),
      results: z.array(z.looseObject({ object: z.string() })),
    }),
  ),
  has_more: z.boolean(),
  next_page: z.string().nullable(),
})
type OrganizationPage = z.output<typeof OrganizationPage>

type Row = UsageReport['rows'][number]

/** One kind of report: which requests it is about, and what it says of those of a group. */
interface Report {
  /** Where it names a model. */
  modelField: 'model' | 'line_item'
  endpoints?: (endpoint: string | null) => boolean
  result: (rows: readonly Row[]) => JsonObject
}

const embeddings: Report = {
  modelField: 'model',
  endpoints: endpoint => endpoint === 'embeddings',
  result: rows => ({
    object: 'organization.usage.embeddings.result',
    input_tokens: sum(rows, promptOf),
    num_model_requests: sum(rows, row => row.requests),
  }),
}

/** Endpoints with a report of their own at OpenAI, or without tokens. */
const notCompletions: ReadonlySet<string | null> = new Set([
  'embeddings',
  'rerank',
  ...mediaEndpoints.map(({ name }) => name),
])

const completions: Report = {
  modelField: 'model',
  endpoints: endpoint => !notCompletions.has(endpoint),
  result: rows => ({
    object: 'organization.usage.completions.result',
    input_tokens: sum(rows, promptOf),
    input_cached_tokens: sum(rows, row => row.cache_read_tokens),
    input_cache_write_tokens: sum(rows, row => row.cache_write_tokens),
    input_uncached_tokens: sum(rows, row => row.input_tokens),
    input_audio_tokens: sum(rows, row => row.audio_input_tokens),
    input_image_tokens: sum(rows, row => row.image_input_tokens),
    output_tokens: sum(rows, row => row.output_tokens),
    output_audio_tokens: sum(rows, row => row.audio_output_tokens),
    output_image_tokens: sum(rows, row => row.image_output_tokens),
    num_model_requests: sum(rows, row => row.requests),
  }),
}

const costs: Report = {
  modelField: 'line_item',
  result: rows => ({
    object: 'organization.costs.result',
    amount: { value: sumUsd(rows.map(({ cost_usd }) => cost_usd)), currency: 'usd' },
  }),
}

export interface OrganizationUsageParts {
  ledger: Pick<Ledger, 'usage'>
  /** Milliseconds since the epoch. */
  now: () => number
}

/**
 * `GET /v1/organization/usage/completions`, `…/usage/embeddings` and `/v1/organization/costs` in OpenAI's shapes. API keys are
 * named by their names; there are no projects and no users, so that these are null, and a filter for one finds nothing.
 */
export function registerOrganizationRoutes(app: FastifyInstance, { ledger, now }: OrganizationUsageParts): void {
  for (const [path, report] of [
    ['completions', completions],
    ['embeddings', embeddings],
  ] as const) {
    app.get(`/organization/usage/${path}`, (request, reply) => {
      requireScope(request.principal, 'read')
      const query = readFields(OrganizationUsageQuery, plain(request.query))
      const { usual, most } = widths[query.bucket_width]
      return pageOf(
        { ...query, report, limit: limitOf(query.limit, usual, most) },
        ownerShownTo(request.principal),
        reply,
      )
    })
  }
  app.get('/organization/costs', (request, reply) => {
    requireScope(request.principal, 'read')
    const query = readFields(OrganizationCostsQuery, plain(request.query))
    const limit = limitOf(query.limit, widths['1d'].usual, mostDaysOfCosts)
    return pageOf({ ...query, report: costs, limit }, ownerShownTo(request.principal), reply)
  })

  async function pageOf(
    query: PageQuery,
    keyId: string | undefined,
    reply: Parameters<typeof disconnectSignal>[0],
  ): Promise<OrganizationPage> {
    const { report, limit, group_by, models, api_key_ids: keys } = query
    const { grouping, seconds: width } = widths[query.bucket_width]
    const end = query.end_time ?? Math.floor(now() / 1000) + 1
    if (end <= query.start_time) {
      throw new GatewayError('invalid_request', 'end_time must be after start_time.', { param: 'end_time' })
    }
    const start = query.page === undefined ? query.start_time : startOfPage(query.page, query.start_time)
    const first = Math.floor(start / width) * width
    const until = Math.min(end, first + limit * width)
    // No request here belongs to a project, a user or a batch.
    const isEmpty = query.project_ids !== undefined || query.user_ids !== undefined || query.batch === true
    const properties = group_by.flatMap(name => ourGroupings[name] ?? [])
    const { rows } = isEmpty
      ? { rows: [] }
      : await ledger.usage(
          {
            from: isoOf(start),
            to: isoOf(until),
            group_by: [grouping, 'endpoint', ...properties],
            ...(models !== undefined && { model: models }),
            ...(keys !== undefined && { key: keys }),
          },
          disconnectSignal(reply),
          keyId,
        )
    const counted = rows.filter(row => report.endpoints?.(row.group.endpoint ?? null) ?? true)
    const inBucket = Map.groupBy(counted, row => Date.parse(row.group[grouping] ?? '') / 1000)
    const data: OrganizationPage['data'] = []
    for (let bucket = first; bucket < until; bucket += width) {
      const groups = Map.groupBy(inBucket.get(bucket) ?? [], row =>
        JSON.stringify(properties.map(name => row.group[name])),
      )
      data.push({
        object: 'bucket',
        start_time: bucket,
        end_time: bucket + width,
        results: [...groups.values()].map(
          each => ({ ...named(group_by, report.modelField, each[0]!), ...report.result(each) }) as Result,
        ),
      })
    }
    const more = until < end
    return { object: 'page', data, has_more: more, next_page: more ? `page_${until}` : null }
  }
}

type Result = OrganizationPage['data'][number]['results'][number]

interface PageQuery {
  report: Report
  start_time: number
  end_time?: number | undefined
  bucket_width: keyof typeof widths
  group_by: readonly (keyof typeof ourGroupings)[]
  project_ids?: string[] | undefined
  user_ids?: string[] | undefined
  api_key_ids?: string[] | undefined
  models?: string[] | undefined
  batch?: boolean | undefined
  limit: number
  page?: string | undefined
}

/** What OpenAI groups by, in our terms; undefined for what no request here has. */
const ourGroupings = {
  api_key_id: 'key',
  model: 'model',
  line_item: 'model',
  project_id: undefined,
  user_id: undefined,
  batch: undefined,
  service_tier: undefined,
} as const satisfies Record<string, Grouping | undefined>

/** The fields that name a group: null for those that were not asked for. */
function named(groupBy: PageQuery['group_by'], modelField: Report['modelField'], { group }: Row): JsonObject {
  const valueOf = (name: keyof typeof ourGroupings) => {
    const ours = ourGroupings[name]
    return ours === undefined || !groupBy.includes(name) ? null : (group[ours] ?? null)
  }
  return {
    project_id: null,
    user_id: null,
    api_key_id: valueOf('api_key_id'),
    [modelField]: valueOf(modelField),
    ...(groupBy.includes('batch') && { batch: false }),
  }
}

/** Lists come as `group_by[]=model`, as `group_by=model`, or repeated. */
function plain(query: unknown): JsonObject {
  const fields: JsonObject = {}
  for (const [name, value] of Object.entries(query as JsonObject)) {
    const bare = name.replace(/\[\d*\]$/, '')
    fields[bare] = bare === 'group_by' && !Array.isArray(value) ? [value] : value
  }
  return fields
}

function limitOf(asked: number | undefined, usual: number, most: number): number {
  if (asked !== undefined && asked > most) {
    throw new GatewayError('invalid_request', `limit must be at most ${most}.`, { param: 'limit' })
  }
  return asked ?? usual
}

function startOfPage(page: string, startTime: number): number {
  const start = Number(/^page_(\d{1,12})$/.exec(page)?.[1] ?? Number.NaN)
  if (start > startTime) return start
  throw new GatewayError('invalid_request', 'page must be the next_page of an earlier answer.', { param: 'page' })
}

function promptOf(row: Row): number {
  return row.input_tokens + row.cache_read_tokens + row.cache_write_tokens
}

function sum(rows: readonly Row[], count: (row: Row) => number): number {
  return rows.reduce((total, row) => total + count(row), 0)
}

function isoOf(second: number): string {
  return new Date(second * 1000).toISOString()
}
