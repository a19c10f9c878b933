import type { z } from 'zod'
import { GatewayError } from '../errors.ts'

export type JsonObject = Record<string, unknown>

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

/** `value` as an object with string keys; undefined for everything else, arrays included. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}

/** The objects in `value` where it is an array; none otherwise. */
export function asObjects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(item => asObject(item) !== undefined) : []
}

export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The JSON object that `text` holds, else undefined. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** A copy without the fields whose value is undefined or null, so that absent stays absent. */
export function compact<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as T
}
