import type { FastifyError } from 'fastify'
import { asGatewayError, GatewayError, type FailureCode } from '../errors.ts'

/** Largest request body, after decompression. */
export const maxBodyBytes = 32 * 1024 * 1024

/** Fastify's own errors, which would otherwise reach the caller as 500. */
const codesByStatus: Readonly<Record<number, FailureCode>> = {
  400: 'invalid_request',
  404: 'not_found',
  405: 'method_not_allowed',
  414: 'headers_too_large',
  415: 'unsupported_media_type',
}

/** Converts anything thrown while an HTTP request was handled, Fastify's refusals included. */
export function asHttpFailure(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  const { statusCode: status } = thrown as Partial<FastifyError>
  if (status === 413) return bodyTooLarge()
  const code = status === undefined ? undefined : codesByStatus[status]
  return code === undefined
    ? asGatewayError(thrown)
    : new GatewayError(code, (thrown as Error).message, { cause: thrown })
}

/** The error for a body over the limit. */
export function bodyTooLarge(): GatewayError {
  return new GatewayError(
    'request_too_large',
    `The request body exceeds the limit of ${maxBodyBytes / 1024 / 1024} MB; send less.`,
  )
}
