import type { FastifyReply, FastifyRequest } from 'fastify'
import { asHttpFailure } from '../operations/http-failure.ts'
import { errorFormatOf } from './error-format.ts'
import { hasUnreadBody, sendWhileReading } from './unread-body.ts'

/**
 * Writes an error in the caller's format. Unexpected errors are logged with their cause; the caller gets no details. A
 * caller that is still writing its body gets the error too.
 */
export function replyError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = asHttpFailure(thrown)
  if (error.code === 'internal') request.log.error({ err: thrown, requestId: request.id }, 'unexpected error')
  if (error.retryAfterSeconds !== undefined) {
    void reply.header('retry-after', String(Math.ceil(error.retryAfterSeconds)))
  }
  // Otherwise Claude Code tries a rejected key for minutes, with nothing to be seen.
  if (error.failure.status === 401 || error.failure.status === 403) void reply.header('x-should-retry', 'false')
  const { status, body } = errorFormatOf(request.url, request.headers)(error, request.id)
  if (hasUnreadBody(request.raw)) {
    reply.hijack()
    void sendWhileReading(request.raw, reply.raw, { status, headers: reply.getHeaders(), body })
    return
  }
  void reply.code(status).type('application/json').send(body)
}
