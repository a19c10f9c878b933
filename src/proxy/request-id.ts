import type { FastifyRequest } from 'fastify'

const maxCharacters = 200

/** The caller's own id of a request, from `x-request-id`, in characters that are safe in headers, logs and tables. */
export function callerRequestId({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const written = headers['x-request-id']
  if (typeof written !== 'string' || written === '') return undefined
  return written.slice(0, maxCharacters).replaceAll(/[^\w.:/+=@-]/g, '_')
}

/** Under all names by which clients look for the id of a request; `callers` is the one that the caller gave it. */
export function idHeaders(id: string, callers = id): Record<string, string> {
  // OpenAI's clients read `x-request-id`, Anthropic's `request-id`.
  return { 'x-signalbox-request-id': id, 'x-request-id': callers, 'request-id': id }
}
