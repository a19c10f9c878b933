import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** The response of a reply, for what writes to it itself. The headers that were set so far go along. */
export function takeOver(reply: FastifyReply): ServerResponse {
  reply.hijack()
  const { raw } = reply
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
  return raw
}
