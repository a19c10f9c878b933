import { z } from 'zod'
import { readFields } from '../wire/read-body.ts'

/** How OpenAI's lists are cut into pages. */
export const ListQuery = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
  order: z.enum(['asc', 'desc']).default('desc'),
})

export interface ListPage<T> {
  object: 'list'
  data: T[]
  first_id: unknown
  last_id: unknown
  has_more: boolean
}

/** One page of `all`, which is in the order that it was made in. Throws `invalid_request` for an invalid query. */
export function pageOf<T extends { id?: unknown }>(
  all: readonly T[],
  query: unknown,
  defaultLimit: number,
): ListPage<T> {
  const { after, limit = defaultLimit, order } = readFields(ListQuery, query)
  const items = order === 'desc' ? all.toReversed() : all
  const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1
  const data = items.slice(start, start + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < items.length,
  }
}
