import { GatewayError } from '../errors.ts'
import { z } from 'zod'
import type { Priority } from './select.ts'

const flag = z.union([z.boolean(), z.stringbool()])
const amount = z.coerce.number().min(0)
const list = z.union([z.array(z.string()), z.string().transform(text => text.split(','))])

const maxTags = 64

const RequestOptionsSchema = z.object({
  priority: z.enum(['cost', 'quality', 'speed']).optional(),
  max_cost: amount.optional(),
  min_quality: amount.max(1).optional(),
  local_only: flag.optional(),
  verify: list.optional(),
  session: z.string().min(1).max(256).optional(),
  task: z.string().min(1).max(256).optional(),
  tags: list.refine(tags => tags.length <= maxTags, { error: `at most ${maxTags} are possible` }).optional(),
})

/** As callers write them in `metadata`; headers have hyphens. */
export const optionNames: readonly string[] = Object.keys(RequestOptionsSchema.shape)

/** What a caller asked of the router for this one request. */
export interface RequestOptions {
  priority?: Priority
  /** USD; candidates expected to cost more are dropped. */
  maxCostUsd?: number
  /** 0..1, in place of QUALITY_THRESHOLD. */
  minQuality?: number
  localOnly?: boolean
  /** Names of checks that the answer must pass, in place of VERIFY; see `verify.ts`. */
  verify?: readonly string[]
  session?: string
  /** The piece of work that the request belongs to, for budgets per task. */
  task?: string
  /** Free labels. One that names a kind of task settles what kind this is. */
  tags?: readonly string[]
}

const optionHeaders = optionNames.map(name => [name, `x-signalbox-${name.replaceAll('_', '-')}`] as const)

/**
 * Reads the options from headers (`x-signalbox-max-cost: 0.01`) and from `metadata` (`max_cost`); a header wins.
 * Throws `invalid_request` naming the option that is wrong.
 */
export function readOptions(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  metadata: Readonly<Record<string, unknown>> | null | undefined,
): RequestOptions {
  const given: Record<string, unknown> = {}
  for (const [name, header] of optionHeaders) {
    const value = headers[header] ?? metadata?.[name]
    if (value !== undefined && value !== null && value !== '') given[name] = value
  }
  if (Object.keys(given).length === 0) return {}
  const parsed = RequestOptionsSchema.safeParse(given)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const name = String(issue.path[0])
    throw new GatewayError('invalid_request', `The option ${name} is not valid: ${issue.message}.`, { param: name })
  }
  const { priority, max_cost, min_quality, local_only, verify, session, task, tags } = parsed.data
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(max_cost === undefined ? {} : { maxCostUsd: max_cost }),
    ...(min_quality === undefined ? {} : { minQuality: min_quality }),
    ...(local_only === undefined ? {} : { localOnly: local_only }),
    ...(verify === undefined ? {} : { verify: trimmed(verify) }),
    ...(session === undefined ? {} : { session }),
    ...(task === undefined ? {} : { task }),
    ...(tags === undefined ? {} : { tags: trimmed(tags) }),
  }
}

function trimmed(values: readonly string[]): string[] {
  return values.map(value => value.trim()).filter(Boolean)
}
