import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Ledger } from '../ledger/ledger.ts'
import { UsageRequest } from '../ledger/usage-query.ts'
import { ownerShownTo, requireScope } from '../operations/access.ts'
import { usageCsv } from '../ledger/csv.ts'
import { readFields } from '../wire/read-body.ts'

const Query = z.looseObject({ format: z.enum(['json', 'csv']).default('json') })

/** `GET /v1/usage`: what the caller used and what it cost, from the ledger; an administrator sees all keys. */
export function registerUsageRoute(app: FastifyInstance, { ledger }: { ledger: Ledger }): void {
  app.get('/usage', async (request, reply) => {
    requireScope(request.principal, 'read')
    const { format, ...rest } = readFields(Query, request.query)
    const report = await ledger.usage(readFields(UsageRequest, rest), undefined, ownerShownTo(request.principal))
    if (format === 'json') return report
    return reply.type('text/csv; charset=utf-8').send(usageCsv(report))
  })
}
