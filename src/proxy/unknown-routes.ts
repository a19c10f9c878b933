import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import { insteadOf } from './absent-paths.ts'
import type { RouteTable } from './route-table.ts'

const maxEchoed = 200

/** Refuses a request for a path or a method that no route has. */
export type Refuse = (request: FastifyRequest, reply: FastifyReply) => never

/** Refuses paths and methods that no route has, before their body is read. `baseUrl` is what clients should be given. */
export function registerUnknownRoutes(app: FastifyInstance, routes: RouteTable, baseUrl: string): Refuse {
  const refuse: Refuse = ({ method, url, originalUrl, headers }, reply) => {
    // A query may hold a key.
    const [path = ''] = url.split('?')
    const allowed = routes.methodsOf(path)
    if (allowed.length === 0) {
      const [asked = ''] = originalUrl.split('?')
      const advice = insteadOf(path.slice(0, maxEchoed), [...routes.entries().keys()])
      throw new GatewayError(
        'not_found',
        [`Not found: ${method} ${asked.slice(0, maxEchoed)}.`, advice, `The base URL for clients is ${baseUrl}.`]
          .filter(Boolean)
          .join(' '),
      )
    }
    // Codex and others try Responses over a WebSocket first, and go on without one at this status only.
    if (headers.upgrade?.toLowerCase() === 'websocket') {
      void reply.header('upgrade', 'HTTP/1.1')
      throw new GatewayError(
        'websocket_refused',
        `${path.slice(0, maxEchoed)} has no WebSocket now; send the request by ${allowed.join(' or ')}.`,
      )
    }
    // Every GET answers HEAD too.
    void reply.header('allow', allowed.join(', ').replace('GET', 'GET, HEAD'))
    throw new GatewayError(
      'method_not_allowed',
      `${method} is not allowed for ${path.slice(0, maxEchoed)}; use ${allowed.join(' or ')}.`,
    )
  }
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) refuse(request, reply)
  })
  app.setNotFoundHandler(refuse)
  return refuse
}
