import type { FastifyInstance } from 'fastify'
import type { Served } from '../gateway/answer.ts'
import { factsOf } from '../gateway/reply-facts.ts'
import { createChatWriter, type AnswerFacts } from '../wire/chat/answer.ts'
import {
  nonChatEndpoints,
  type NonChatEndpoint,
  type NonChatType,
  type NonChatReply,
  type NonChatRequests,
} from '../wire/non-chat.ts'
import { completionFromInfill, createInfillWriter, infillFromCompletion, InfillRequest } from '../wire/infill.ts'
import { writeOpenAiError } from '../wire/chat/error.ts'
import { eventStream, type StreamFraming, type StreamWriter } from '../wire/protocol.ts'
import { asObject } from '../json.ts'
import { disconnectSignal } from '../operations/disconnect-signal.ts'
import { readOptions } from '../router/options.ts'
import { readBody } from '../wire/read-body.ts'
import type { RouteHandler, RouteParts } from './chat-routes.ts'
import { admit } from './admit.ts'
import { openCall } from './call-of.ts'
import { httpTarget } from './http-stream.ts'
import { notesHeader, servedHeaders } from './served-headers.ts'
import { streamAnswer } from './stream-answer.ts'

/** The non-chat routes: `POST /v1/embeddings`, `/v1/completions`, `/v1/rerank`. */
export function registerNonChatRoute<Name extends NonChatType>(
  app: FastifyInstance,
  nonChat: NonChatEndpoint<Name>,
  parts: RouteParts,
): void {
  const answer = nonChatHandler(nonChat, parts, body => {
    const request = readBody(nonChat.schema, body)
    const asked = { usage: asObject(request['stream_options'])?.['include_usage'] === true }
    return {
      request,
      writer: facts => createChatWriter(facts, asked, 'text_completion'),
      write: (completion, facts) => nonChat.publish(completion, facts),
    }
  })
  app.post(nonChat.path, answer)
}

/** `POST /infill`, as editors send it to llama-server: a completion with a suffix in another format. */
export function registerInfillRoute(app: FastifyInstance, parts: RouteParts): void {
  const answer = nonChatHandler(nonChatEndpoints.completions, parts, body => ({
    request: completionFromInfill(readBody(InfillRequest, body)),
    writer: ({ model }) => createInfillWriter(model),
    write: (completion, { model }) => infillFromCompletion(completion, model),
  }))
  app.post('/infill', answer)
}

/** One format of a non-chat request and of its response. */
interface Wording<Name extends NonChatType> {
  request: NonChatRequests[Name]
  /** How a stream is sent; by default as server-sent events. */
  framing?: StreamFraming
  /** Absent where the endpoint does not stream. */
  writer?: (facts: AnswerFacts) => StreamWriter
  write: (completion: NonChatReply, facts: AnswerFacts) => object
  /** What of the request was left out. */
  notes?: readonly string[]
}

/** Answers non-chat requests in the format that `read` takes and writes. */
export function nonChatHandler<Name extends NonChatType>(
  nonChat: NonChatEndpoint<Name>,
  parts: RouteParts,
  read: (body: unknown) => Wording<Name>,
): RouteHandler {
  const { gateway, idempotency, keepAliveMs, now } = parts
  return async (incoming, reply) => {
    const { request, framing = openAiEvents, writer, write, notes = [] } = read(incoming.body)
    const options = readOptions(incoming.headers, asObject(request['metadata']))
    const call = {
      ...openCall(incoming, disconnectSignal(reply), nonChat.name, options),
      ...admit(incoming, reply, parts),
    }
    const parseMs = now() - call.receivedAt
    const headersOf = (served: Served) => ({
      ...servedHeaders(served, call, parseMs),
      ...notesHeader([...notes, ...served.notes]),
    })
    if (nonChat.streams && writer !== undefined && request['stream'] === true) {
      const answer = gateway.run(call, nonChat, request)
      const writerOf = (served: Served) => writer(factsOf(call, served, now))
      const target = httpTarget(reply, framing)
      await streamAnswer({ target, answer, writerOf, signal: call.signal, keepAliveMs, headersOf })
      return reply
    }
    return idempotency.send({ incoming, reply, call }, async signal => {
      const { served, reply: answered } = await gateway.run({ ...call, signal }, nonChat, request)
      if (answered.kind !== 'complete')
        throw new Error(`${served.model.id} streamed a response although none was requested`)
      return { headers: headersOf(served), body: write(answered.completion, factsOf(call, served, now)) }
    })
  }
}

const openAiEvents = eventStream(writeOpenAiError)
