import { GatewayError } from '../../errors.ts'
import type { JsonObject } from '../../json.ts'

/** What is told of a model in Anthropic's list. */
export interface ListedModel {
  id: string
  displayName: string
  createdSeconds: number
  contextTokens: number | undefined
  outputTokens: number | undefined
  vision: boolean
  reasoning: boolean
  json: boolean
}

/** A model in Anthropic's form. */
export function modelInfo(facts: ListedModel): JsonObject & { id: string } {
  const { id, displayName, createdSeconds, contextTokens, outputTokens } = facts
  return {
    type: 'model',
    id,
    display_name: displayName,
    created_at: new Date(createdSeconds * 1000).toISOString(),
    max_input_tokens: contextTokens ?? null,
    max_tokens: outputTokens ?? null,
    capabilities: capabilitiesOf(facts),
    lifecycle: 'active',
    line: null,
    deprecated_at: null,
    retires_at: null,
  }
}

function capabilitiesOf({ vision, reasoning, json }: ListedModel): JsonObject {
  const no = { supported: false }
  const reasons = { supported: reasoning }
  return {
    batch: no,
    citations: no,
    code_execution: no,
    context_management: {
      ...no,
      clear_thinking_20251015: null,
      clear_tool_uses_20250919: null,
      compact_20260112: null,
    },
    effort: { ...reasons, low: reasons, medium: reasons, high: reasons, max: reasons, xhigh: null },
    image_input: { supported: vision },
    pdf_input: no,
    server_tools: { ...no, code_execution: no, web_search: no },
    structured_outputs: { supported: json },
    thinking: {
      ...reasons,
      types: { adaptive: reasons, between_tools: no, disabled: { supported: true }, enabled: reasons },
    },
  }
}

const maxPageSize = 1000

/** A page of a list. */
export interface ModelPage<Item> {
  data: Item[]
  has_more: boolean
  first_id: string | null
  last_id: string | null
}

/**
 * The page that a query with `limit` and `after_id` or `before_id` asks for; by default as many as a page may have. Throws
 * `invalid_request`.
 */
export function pageOfList<Item extends { id: string }>(all: readonly Item[], query: JsonObject): ModelPage<Item> {
  const limit = limitIn(query)
  const before = placeOf('before_id', all, query)
  const start = placeOf('after_id', all, query) ?? -1
  const end = before ?? all.length
  const data =
    before === undefined ? all.slice(start + 1, start + 1 + limit) : all.slice(Math.max(start + 1, end - limit), end)
  const hasMore = before === undefined ? start + 1 + data.length < all.length : end - data.length > start + 1
  return { data, has_more: hasMore, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
}

function limitIn({ limit }: JsonObject): number {
  const size = limit === undefined ? maxPageSize : Number(limit)
  if (Number.isInteger(size) && size >= 1 && size <= maxPageSize) return size
  throw new GatewayError('invalid_request', `limit must be an integer from 1 to ${maxPageSize}.`, { param: 'limit' })
}

/** The index of the item that a cursor names. */
function placeOf(param: string, all: readonly { id: string }[], query: JsonObject): number | undefined {
  const cursor = query[param]
  if (cursor === undefined || cursor === '') return undefined
  const place = all.findIndex(({ id }) => id === cursor)
  if (place >= 0) return place
  throw new GatewayError('invalid_request', `${param}: no model of the list has this id.`, { param })
}
