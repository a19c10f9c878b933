import type { FastifyInstance } from 'fastify'
import type { Served } from '../gateway/answer.ts'
import { createChatWriter } from '../wire/chat/protocol.ts'
import {
  nonChatEndpoints,
  type NonChatEndpoint,
  type NonChatType,
  type NonChatReply,
  type NonChatRequests,
} from '../wire/non-chat.ts'
import { completionFromInfill, createInfillWriter, infillFromCompletion, InfillRequest } from '../wire/infill.ts'
import { writeOpenAiError } from '../wire/chat/error.ts'
import type { StreamWriter } from '../wire/protocol.ts'
import { asObject } from '../json.ts'
import { readBody } from '../wire/read-body.ts'
import type { RouteParts } from './chat-routes.ts'
import { openCall } from './call-of.ts'
import { notesHeader, servedHeaders } from './served-headers.ts'
import { streamAnswer } from './stream-answer.ts'

/** The non-chat routes: `POST /v1/embeddings`, `/v1/completions`, `/v1/rerank`. */
export function registerNonChatRoute<Name extends NonChatType>(
  app: FastifyInstance,
  nonChat: NonChatEndpoint<Name>,
  parts: RouteParts,
): void {
  registerRoute(app, nonChat.path, nonChat, parts, body => {
    const request = readBody(nonChat.schema, body)
    const wantsUsage = asObject(request['stream_options'])?.['include_usage'] === true
    return {
      request,
      writer: () => createChatWriter(wantsUsage),
      write: (completion, model) => ({ model, ...completion }),
    }
  })
}

/** `POST /infill`, as editors send it to llama-server: a completion with a suffix in another format. */
export function registerInfillRoute(app: FastifyInstance, parts: RouteParts): void {
  registerRoute(app, '/infill', nonChatEndpoints.completions, parts, body => ({
    request: completionFromInfill(readBody(InfillRequest, body)),
    writer: createInfillWriter,
    write: infillFromCompletion,
  }))
}

/** One format of a non-chat request and of its response; `model` is the model that answered. */
interface Wording<Name extends NonChatType> {
  request: NonChatRequests[Name]
  writer: (model: string) => StreamWriter
  write: (completion: NonChatReply, model: string) => object
}

function registerRoute<Name extends NonChatType>(
  app: FastifyInstance,
  path: string,
  nonChat: NonChatEndpoint<Name>,
  { gateway, idempotency, keepAliveMs, now }: RouteParts,
  read: (body: unknown) => Wording<Name>,
): void {
  app.post(path, async (incoming, reply) => {
    const call = openCall(incoming, reply, nonChat.name)
    const { request, writer, write } = read(incoming.body)
    const parseMs = now() - call.receivedAt
    const headersOf = (served: Served) => ({ ...servedHeaders(served, call, parseMs), ...notesHeader(served.notes) })
    if (nonChat.streams && request['stream'] === true) {
      const answer = gateway.run(call, nonChat, request)
      const writerOf = ({ model }: Served) => writer(model.id)
      const protocol = { writeError: writeOpenAiError }
      await streamAnswer({ reply, answer, writerOf, protocol, signal: call.signal, keepAliveMs, headersOf })
      return reply
    }
    return idempotency.send({ incoming, reply, call }, async signal => {
      const { served, reply: answered } = await gateway.run({ ...call, signal }, nonChat, request)
      if (answered.kind !== 'complete')
        throw new Error(`${served.model.id} streamed a response although none was requested`)
      return { headers: headersOf(served), body: write(answered.completion, served.model.id) }
    })
  })
}
