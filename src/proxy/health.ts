import type { FastifyInstance } from 'fastify'
import { ledgerView, serversOf, type StatusParts } from '../operations/status.ts'

/** `GET /health`: that the process answers, which servers it sees, and whether its ledger can be written. */
export function registerHealthRoute(app: FastifyInstance, core: StatusParts): void {
  app.get('/health', () => ({
    status: 'ok',
    version: core.version,
    providers: serversOf(core),
    ledger: ledgerView(core),
  }))
}
