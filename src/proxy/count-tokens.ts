import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Core } from '../core.ts'
import { disconnectSignal } from '../operations/disconnect-signal.ts'
import { readOptions } from '../router/options.ts'
import type { ChatRequest } from '../wire/chat/schema.ts'
import { chatFromMessages } from '../wire/messages/request.ts'

export type CountParts = Pick<Core, 'gateway' | 'tokens'>

/** `POST /v1/messages/count_tokens`. */
export function registerCountTokensRoute(app: FastifyInstance, core: CountParts): void {
  app.post('/messages/count_tokens', async (incoming, reply) => ({
    input_tokens: await countPrompt(core, { incoming, reply }, () => chatFromMessages(incoming.body).request),
  }))
}

/** A request and its reply: the caller's key and options decide too, and a disconnect ends the wait for a server's count. */
interface Exchange {
  incoming: FastifyRequest
  reply: FastifyReply
}

/** The same for a request that may be invalid. Always a number: agents count before they send, and stop working when that fails. */
export async function countPrompt(core: CountParts, exchange: Exchange, read: () => ChatRequest): Promise<number> {
  let request: ChatRequest
  try {
    request = read()
  } catch {
    // Not a valid conversation; its text can still be counted.
    return core.tokens.countText(JSON.stringify(exchange.incoming.body ?? '')).tokens
  }
  return countRequest(core, exchange, request)
}

/**
 * The size of a prompt, as the decision about it takes it: in the tokens of the model that would answer, and what a refusal would
 * state.
 */
export async function countRequest(
  { gateway, tokens }: CountParts,
  { incoming, reply }: Exchange,
  request: ChatRequest,
): Promise<number> {
  try {
    const options = readOptions(incoming.headers, request.metadata)
    const query = { keyId: incoming.principal.name, options }
    return await gateway.countPrompt(request, disconnectSignal(reply), query)
  } catch {
    // No server offers the model; in our own tokens then.
    return tokens.countMessages(request.messages, request.tools).tokens
  }
}
