import { z } from 'zod'
import { maxKeyCharacters } from '../idempotency.ts'

/** One HTTP route as the OpenAPI document describes it. */
export interface RouteDescription {
  method: 'get' | 'post' | 'put' | 'delete'
  /** In OpenAPI's form, `{name}` for parameters. */
  path: string
  operationId: string
  tag: string
  summary: string
  body?: z.ZodType
  /** How the body may be encoded; JSON by default. */
  bodyTypes?: readonly string[]
  query?: z.ZodObject
  params?: z.ZodObject
  headers?: z.ZodObject
  /** Absent where the answer is not JSON. */
  response?: z.ZodType
  /** Other content types of the same answer. */
  also?: readonly string[]
  /** The error response. */
  error: z.ZodType
}

export const eventStream = 'text/event-stream'
/** The tag of what asks a model. */
export const inference = 'Inference'

/** What requests for a model may carry; routing options have headers of their own (docs/routing.md). */
export const requestHeaders = z.object({
  'idempotency-key': z
    .string()
    .max(maxKeyCharacters)
    .optional()
    .describe(
      'A request with the key of an earlier one of the same API key gets its buffered answer again, with `idempotent-replayed: true`, for 24 hours.',
    ),
  'x-request-id': z
    .string()
    .optional()
    .describe('The caller’s own id of the request: comes back in the response and is kept in the ledger.'),
})
