import type { z } from 'zod'
import { GatewayError } from '../errors.ts'

/** Parses `body` with `schema`. Throws `invalid_request` naming the first invalid field. */
export function readBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  return readFields(schema, body, { notObject: 'The request body must be a JSON object.' })
}

/** The same for a query or a part of a body; `within` is the field that holds it. */
export function readFields<S extends z.ZodType>(
  schema: S,
  fields: unknown,
  { within, notObject }: { within?: string; notObject?: string } = {},
): z.output<S> {
  const parsed = schema.safeParse(fields)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const message = issue?.message ?? 'is not valid'
  const param = [...(within === undefined ? [] : [within]), ...(issue?.path ?? [])].join('.')
  if (param === '') throw new GatewayError('invalid_request', notObject ?? `${message}.`)
  throw new GatewayError('invalid_request', `${param}: ${message}.`, { param })
}

/** The error for an invalid field. `param` is its path, separated by dots. */
export function wrongField(param: string, expected: string): GatewayError {
  return new GatewayError('invalid_request', `${param} must be ${expected}.`, { param })
}
