import type { FastifyInstance } from 'fastify'
import type { TokenCounter } from '../tokens/counter.ts'
import { chatFromMessages } from '../wire/messages/request.ts'

/**
 * `POST /v1/messages/count_tokens`. Always returns a number: agents count before they send, and stop working when
 * counting fails.
 */
export function registerCountTokensRoute(app: FastifyInstance, tokens: TokenCounter): void {
  app.post('/messages/count_tokens', ({ body }) => ({ input_tokens: count(body, tokens) }))
}

function count(body: unknown, tokens: TokenCounter): number {
  try {
    const { request } = chatFromMessages(body)
    return tokens.countMessages(request.messages, request.tools).tokens
  } catch {
    // Not a valid conversation; its text can still be counted.
    return tokens.countText(JSON.stringify(body ?? '')).tokens
  }
}
