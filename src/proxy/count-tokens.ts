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

/**
 * The size of a prompt, as the decision about it takes it: in the tokens of the model that would answer, and what a refusal would
 * state. Always a number: agents count before they send, and stop working when counting fails.
 */
export async function countPrompt(
  { gateway, tokens }: CountParts,
  { incoming, reply }: { incoming: FastifyRequest; reply: FastifyReply },
  read: () => ChatRequest,
): Promise<number> {
  let request: ChatRequest
  try {
    request = read()
  } catch {
    // Not a valid conversation; its text can still be counted.
    return tokens.countText(JSON.stringify(incoming.body ?? '')).tokens
  }
  try {
    const options = readOptions(incoming.headers, request.metadata)
    const query = { keyId: incoming.principal.name, options }
    return await gateway.countPrompt(request, disconnectSignal(reply), query)
  } catch {
    // No server offers the model; in our own tokens then.
    return tokens.countMessages(request.messages, request.tools).tokens
  }
}
