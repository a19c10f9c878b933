import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Call } from '../gateway/account.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { createChatWriter } from '../wire/chat-writer.ts'
import { ChatRequest } from '../wire/openai.ts'
import { servedHeaders } from './served-headers.ts'
import { streamAnswer } from './stream-answer.ts'

export interface ChatRouteParts {
  gateway: Gateway
  keepAliveMs: number
  /** Milliseconds since the epoch. */
  now: () => number
}

/** `POST /v1/chat/completions`. */
export function chatCompletions(app: FastifyInstance, { gateway, keepAliveMs, now }: ChatRouteParts): void {
  app.post('/chat/completions', async (incoming, reply) => {
    const call = callOf(incoming, reply)
    const request = parseRequest(incoming.body)
    const parseMs = now() - call.receivedAt
    const answer = gateway.chat(call, request)
    if (request.stream === true) {
      const writer = createChatWriter(request.stream_options?.include_usage === true)
      const headersOf = ({ served }: Awaited<typeof answer>) => servedHeaders(served, parseMs)
      await streamAnswer({ reply, answer, writer, signal: call.signal, keepAliveMs, headersOf })
      return reply
    }
    const { served, reply: answered } = await answer
    if (answered.kind !== 'complete') throw new Error(`${served.model.id} streamed an answer nobody asked to stream`)
    return reply.headers(servedHeaders(served, parseMs)).send(answered.completion)
  })
}

function parseRequest(body: unknown): ChatRequest {
  const parsed = ChatRequest.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const param = issue?.path.join('.') ?? ''
  throw new GatewayError('invalid_request', `${param === '' ? 'The body' : param}: ${problem(issue)}.`, { param })
}

function problem(issue: z.core.$ZodIssue | undefined): string {
  return issue === undefined ? 'is not a chat completion request' : issue.message.replace(/^Invalid input: /, '')
}

/** Who asks, with a signal that fires when he hangs up, before or after the first byte of the answer. */
function callOf(incoming: FastifyRequest, reply: FastifyReply): Call {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new GatewayError('client_closed', 'The caller hung up.'))
  })
  const session = incoming.headers['x-signalbox-session']
  return {
    requestId: incoming.id,
    endpoint: 'chat',
    keyId: incoming.keyId,
    session: typeof session === 'string' ? session.slice(0, 200) : undefined,
    signal: controller.signal,
    receivedAt: incoming.receivedAt,
  }
}
