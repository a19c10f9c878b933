import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { NativeRequest } from '../gateway/call.ts'
import type { Served } from '../gateway/answer.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { readOptions } from '../router/options.ts'
import type { Principal } from '../operations/operation.ts'
import { eventStream, type ParsedRequest, type Protocol, type ReplyFacts } from '../wire/protocol.ts'
import { forgetBody } from './body.ts'
import { openCall } from './call-of.ts'
import type { Idempotency } from './idempotency.ts'
import { notesHeader, servedHeaders } from './served-headers.ts'
import { streamAnswer } from './stream-answer.ts'

export interface RouteParts {
  gateway: Gateway
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
export function chatHandler(
  protocol: Protocol,
  { gateway, idempotency, keepAliveMs, now, protocolOf = () => protocol }: ChatRouteParts,
): RouteHandler {
  return async (incoming, reply) => {
    const parsed = protocolOf(incoming.principal).parseRequest(incoming.body)
    const options = readOptions(incoming.headers, parsed.request.metadata)
    const call = {
      ...openCall(incoming, reply, protocol.name, options),
      native: nativeRequestOf(parsed, incoming.headers),
    }
    const parseMs = now() - call.receivedAt
    const factsOf = (served: Served): ReplyFacts => ({
      id: call.requestId.replaceAll(/[^A-Za-z0-9_-]/g, '_'),
      model: served.model.id,
      createdSeconds: Math.floor(call.receivedAt / 1000),
      promptTokens: served.promptTokens,
      timing: {
        waitedMs: served.timings.routeMs + served.timings.queueMs,
        promptMs: served.timings.upstreamMs,
        elapsedMs: () => now() - call.receivedAt,
      },
    })
    const headersOf = (served: Served) => ({
      ...servedHeaders(served, call, parseMs),
      ...notesHeader([...(parsed.native === undefined ? parsed.notes : []), ...served.notes]),
    })
    if (parsed.request.stream === true) {
      forgetBody(incoming)
      const answer = gateway.chat(call, parsed.request)
      const writerOf = (served: Served) => parsed.createStreamWriter(factsOf(served))
      const framing = parsed.framing ?? eventStream(error => protocol.writeError(error))
      await streamAnswer({ reply, answer, writerOf, framing, signal: call.signal, keepAliveMs, headersOf })
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

/** The native request for a server of the caller's protocol: the body and the protocol's headers. */
function nativeRequestOf({ native, notes }: ParsedRequest, headers: IncomingHttpHeaders): NativeRequest | undefined {
  if (native === undefined) return undefined
  const passed = ['anthropic-version', 'anthropic-beta'].flatMap(name => {
    const value = headers[name]
    return value === undefined ? [] : [[name, String(value)] as const]
  })
  return { body: native, headers: Object.fromEntries(passed), translationNotes: notes }
}
