import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { explain } from '../router/explain.ts'
import { mayReach, requireScope } from '../operations/access.ts'
import { disconnectSignal } from '../operations/disconnect-signal.ts'
import { openCall } from './call-of.ts'
import { readOptions } from '../router/options.ts'
import { ChatRequest } from '../wire/chat/schema.ts'
import { inSnakeCase } from '../json.ts'
import { readBody } from '../wire/read-body.ts'
import { recordOf } from '../router/record.ts'

/**
 * `POST /v1/route` takes a chat completion request and explains the decision for it without running it; `GET
 * /v1/decisions/{id}` is the stored decision of an earlier request of the caller.
 */
export function registerDecisionRoutes(
  app: FastifyInstance,
  { gateway, ledger }: { gateway: Gateway; ledger: Ledger },
): void {
  app.post('/route', async (incoming, reply) => {
    const { body, headers } = incoming
    const { signal, keyId } = openCall(incoming, disconnectSignal(reply), 'route')
    const request = readBody(ChatRequest, body)
    const decision = await gateway.dryRun(request, signal, { options: readOptions(headers, request.metadata), keyId })
    const { cascade, ...explanation } = explain(decision)
    return { ...explanation, cascade: decisionJson(cascade), decision: decisionJson(recordOf(decision)) }
  })

  app.get<{ Params: { id: string } }>('/decisions/:id', async ({ params, principal }) => {
    requireScope(principal, 'read')
    const record = await ledger.request(params.id)
    if (record?.decision == null || !mayReach(principal, record.request.key_id)) {
      throw new GatewayError('not_found', `No decision found for request '${params.id.slice(0, 100)}'.`)
    }
    const { model, outcome, caller_request_id } = record.request
    return { request_id: params.id, caller_request_id, model, outcome, decision: decisionJson(record.decision) }
  })
}

/** A decision, or a part of one, as clients see it; it is stored with the names it has inside. */
function decisionJson(stored: unknown): unknown {
  return inSnakeCase(stored, keyedByName)
}

/** Fields of a decision whose keys are the names of kinds of tasks or the ids of models. */
const keyedByName: ReadonlySet<string> = new Set(['categories', 'serverCounts'])
