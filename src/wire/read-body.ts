import type { z } from 'zod'
import { GatewayError } from '../errors.ts'

/** `body` as `schema` reads it. Throws `invalid_request` that names the first field that is wrong. */
export function readBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const param = issue?.path.join('.') ?? ''
  if (param === '') throw new GatewayError('invalid_request', 'The request body must be a JSON object.')
  throw new GatewayError('invalid_request', `${param}: ${issue?.message ?? 'is not valid'}.`, { param })
}

/** A field that is not what it must be, as the error to throw. `param` is its path, dots between the steps. */
export function wrongField(param: string, expected: string): GatewayError {
  return new GatewayError('invalid_request', `${param} must be ${expected}.`, { param })
}
