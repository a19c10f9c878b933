import type { FastifyInstance } from 'fastify'
import { requireAccess } from '../operations/access.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** `GET /metrics` for Prometheus. It shows what all keys together use, so that only an administrator may read it. */
export function registerMetricsRoute(app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', async (request, reply) => {
    requireAccess(request.principal, { name: 'GET /metrics', access: 'admin', effect: 'read' })
    return reply.type(metrics.contentType).send(await metrics.render())
  })
}
