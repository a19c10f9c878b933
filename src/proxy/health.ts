import type { FastifyInstance } from 'fastify'
import { ledgerView, serversOf, type StatusParts } from '../operations/status.ts'
import type { Authenticate } from './authenticate.ts'

/**
 * `GET /health`: that the process answers, which needs no API key, so that a container's health check can ask; with a key,
 * also which servers it sees and whether its ledger can be written.
 */
export function registerHealthRoute(app: FastifyInstance, core: StatusParts, authenticate: Authenticate): void {
  app.get('/health', { config: { keyOptional: true } }, request => {
    if (authenticate.callerIfKnown(request) === undefined) return { status: 'ok' }
    return { status: 'ok', version: core.version, providers: serversOf(core), ledger: ledgerView(core) }
  })
}
