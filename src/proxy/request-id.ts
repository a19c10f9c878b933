import type { FastifyRequest } from 'fastify'

const maxCharacters = 200

/** The caller's own id of a request, from `x-request-id`, in characters that are safe in headers, logs and tables. */
export function callerRequestId({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const written = headers['x-request-id']
  if (typeof written !== 'string' || written === '') return undefined
  return written.slice(0, maxCharacters).replaceAll(/[^\w.:/+=@-]/g, '_')
}
