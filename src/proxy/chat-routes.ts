import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Call, NativeRequest } from '../gateway/call.ts'
import type { Served } from '../gateway/answer.ts'
import type { Accounting } from '../gateway/accounting.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { factsOf } from '../gateway/reply-facts.ts'
import { readOptions } from '../router/options.ts'
import { disconnectSignal } from '../operations/disconnect-signal.ts'
import type { Principal } from '../operations/operation.ts'
import { eventStream, type ParsedRequest, type Protocol, type ReplyFacts } from '../wire/protocol.ts'
import { forgetBody } from './body.ts'
import { admit } from './admit.ts'
import { openCall, type Incoming } from './call-of.ts'
import { httpTarget } from './http-stream.ts'
import type { Idempotency } from './idempotency.ts'
import { notesHeader, servedHeaders } from './served-headers.ts'
import { streamAnswer, type StreamTarget } from './stream-answer.ts'

export interface RouteParts {
  gateway: Gateway
  accounting: Pick<Accounting, 'apiKeys' | 'rateLimiter'>
  idempotency: Idempotency
  keepAliveMs: number
  /** Milliseconds since the epoch. */
  now: () => number
}

export interface ChatRouteParts extends RouteParts {
  /** The protocol for one caller, where that depends on what is kept for them. */
  protocolOf?: (principal: Principal) => Protocol
}

/** What answers the requests of a route. */
export type RouteHandler = (incoming: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** The route of one protocol: `POST /v1/chat/completions`, `/v1/messages`, `/v1/responses`. */
export function registerChatRoute(app: FastifyInstance, protocol: Protocol, parts: ChatRouteParts): void {
  app.post(protocol.path, chatHandler(protocol, parts))
}

/** Answers chat requests of one protocol. */
export function chatHandler(protocol: Protocol, parts: ChatRouteParts): RouteHandler {
  const { gateway, idempotency, keepAliveMs, now, protocolOf = () => protocol } = parts
  return async (incoming, reply) => {
    const opened = openChat(protocolOf(incoming.principal), incoming, disconnectSignal(reply), now)
    const call = { ...opened.call, ...admit(incoming, reply, parts) }
    const chat = { ...opened, call }
    const { parsed, headersOf, factsOf } = chat
    if (parsed.request.stream === true) {
      forgetBody(incoming)
      const framing = parsed.framing ?? eventStream(error => protocol.writeError(error, call.requestId))
      await streamChat(gateway, chat, httpTarget(reply, framing), keepAliveMs)
      return reply
    }
    return idempotency.send({ incoming, reply, call }, async signal => {
      const { served, reply: answered } = await gateway.chat({ ...call, signal }, parsed.request)
      if (answered.kind !== 'complete')
        throw new Error(`${served.model.id} streamed a response although none was requested`)
      const { completion, native } = answered
      const facts = factsOf(served)
      const body = native === undefined ? parsed.writeCompletion(completion, facts) : { ...native, model: facts.model }
      return { headers: headersOf(served), body }
    })
  }
}

/** A chat request that was read, and how its answer is told. */
export interface OpenChat {
  call: Call
  parsed: ParsedRequest
  factsOf: (served: Served) => ReplyFacts
  headersOf: (served: Served) => Record<string, string>
}

/** Reads a chat request. Throws `invalid_request`. `now`: milliseconds since the epoch. */
export function openChat(protocol: Protocol, incoming: Incoming, signal: AbortSignal, now: () => number): OpenChat {
  const parsed = protocol.parseRequest(incoming.body)
  const options = readOptions(incoming.headers, parsed.request.metadata)
  const call = {
    ...openCall(incoming, signal, protocol.name, options),
    native: nativeRequestOf(parsed, incoming.headers),
  }
  const parseMs = now() - call.receivedAt
  return {
    call,
    parsed,
    factsOf: served => factsOf(call, served, now),
    headersOf: served => ({
      ...servedHeaders(served, call, parseMs),
      ...notesHeader([...(parsed.native === undefined ? parsed.notes : []), ...served.notes]),
    }),
  }
}

/** Streams the answer of a chat. */
export async function streamChat(
  gateway: Gateway,
  { call, parsed, factsOf, headersOf }: OpenChat,
  target: StreamTarget,
  keepAliveMs: number,
): Promise<void> {
  const answer = gateway.chat(call, parsed.request)
  const writerOf = (served: Served) => parsed.createStreamWriter(factsOf(served))
  await streamAnswer({ target, answer, writerOf, signal: call.signal, keepAliveMs, headersOf })
}

/** The native request for a server of the caller's protocol: the body and the protocol's headers. */
function nativeRequestOf({ native, notes }: ParsedRequest, headers: IncomingHttpHeaders): NativeRequest | undefined {
  if (native === undefined) return undefined
  const passed = ['anthropic-version', 'anthropic-beta'].flatMap(name => {
    const value = headers[name]
    return value === undefined ? [] : [[name, String(value)] as const]
  })
  return { body: native, headers: Object.fromEntries(passed), translationNotes: notes }
}
