import { z } from 'zod'
import { failures, GatewayError, type FailureCode } from '../errors.ts'

/** An error as JSON, in OpenAI's shape; `retry_after_seconds` is for streams, whose headers have already been sent. */
const ErrorEnvelope = z.object({
  error: z.object({
    message: z.string(),
    code: z.string(),
    param: z.string().nullish(),
    retry_after_seconds: z.number().optional(),
  }),
})

/** The HTTP response of a failed operation. */
export function errorEnvelope(error: GatewayError): Record<string, unknown> {
  return {
    error: {
      message: error.message,
      type: error.failure.type,
      code: error.code,
      param: error.param ?? null,
      ...(error.retryAfterSeconds !== undefined && { retry_after_seconds: error.retryAfterSeconds }),
    },
  }
}

/** Parses the output of `errorEnvelope`; a body of another shape becomes `upstream_error` naming the HTTP status. */
export function readErrorEnvelope(body: unknown, status: number): GatewayError {
  const parsed = ErrorEnvelope.safeParse(body)
  if (!parsed.success || !isFailureCode(parsed.data.error.code)) {
    return new GatewayError(
      'upstream_error',
      `The Signalbox instance answered HTTP ${String(status)} without an error message.`,
    )
  }
  const { message, code, param, retry_after_seconds: retryAfterSeconds } = parsed.data.error
  return new GatewayError(code, message, {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(param != null && { param }),
  })
}

function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(failures, code)
}
