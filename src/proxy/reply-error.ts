import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError, asGatewayError, type FailureCode } from '../errors.ts'
import type { Protocol } from '../wire/protocol.ts'
import { tooLarge } from './body.ts'

/** Fastify's own errors, which would otherwise reach the caller as 500. */
const codesByStatus: Readonly<Record<number, FailureCode>> = {
  400: 'invalid_request',
  404: 'not_found',
  405: 'method_not_allowed',
  415: 'unsupported_media_type',
}

/** An error handler for a protocol. Unexpected errors are logged with their cause; the caller gets no details. */
export function replyError(writeError: Protocol['writeError']) {
  return (thrown: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void => {
    const error = translate(thrown)
    if (error.code === 'internal') request.log.error({ err: thrown, requestId: request.id }, 'unexpected error')
    if (error.retryAfterSeconds !== undefined) {
      void reply.header('retry-after', String(Math.ceil(error.retryAfterSeconds)))
    }
    const { status, body } = writeError(error)
    void reply.code(status).type('application/json').send(body)
  }
}

function translate(thrown: FastifyError | Error): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  const status = 'statusCode' in thrown ? thrown.statusCode : undefined
  if (status === 413) return tooLarge()
  const code = status === undefined ? undefined : codesByStatus[status]
  return code === undefined ? asGatewayError(thrown) : new GatewayError(code, thrown.message, { cause: thrown })
}
