import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { UsageQuery } from '../ledger/usage.ts'
import { usageCsv } from '../ledger/csv.ts'

const Query = z.looseObject({ format: z.enum(['json', 'csv']).default('json') })

/** `GET /v1/usage?period=&from=&to=&group_by=&format=`: what was used and what it cost, from the ledger. */
export function registerUsageRoute(app: FastifyInstance, { ledger }: { ledger: Ledger }): void {
  app.get('/usage', async (request, reply) => {
    const { format, ...rest } = read(Query, request.query)
    const report = await ledger.usage(read(UsageQuery, rest))
    if (format === 'json') return report
    return reply.type('text/csv; charset=utf-8').send(usageCsv(report))
  })
}

function read<S extends z.ZodType>(schema: S, query: unknown): z.output<S> {
  const parsed = schema.safeParse(query)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const param = issue?.path.join('.') ?? ''
  throw new GatewayError('invalid_request', [param, issue?.message].filter(Boolean).join(': '), { param })
}
