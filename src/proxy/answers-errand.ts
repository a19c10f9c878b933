import type { FastifyInstance } from 'fastify'
import type { Served } from '../gateway/gateway.ts'
import { createChatWriter } from '../wire/chat-protocol.ts'
import type { Errand, ErrandName } from '../wire/errands.ts'
import { writeOpenAiError } from '../wire/openai-error.ts'
import { asObject, readBody } from '../wire/read-body.ts'
import type { AnswerRouteParts } from './answers.ts'
import { callOf } from './call-of.ts'
import { notesHeader, servedHeaders } from './served-headers.ts'
import { streamAnswer } from './stream-answer.ts'

/** The route of what is no chat: `POST /v1/embeddings`, `/v1/completions`, `/v1/rerank`. */
export function answersErrand<Name extends ErrandName>(
  app: FastifyInstance,
  errand: Errand<Name>,
  { gateway, keepAliveMs, now }: AnswerRouteParts,
): void {
  app.post(errand.path, async (incoming, reply) => {
    const call = callOf(incoming, reply, errand.name)
    const request = readBody(errand.schema, incoming.body)
    const parseMs = now() - call.receivedAt
    const headersOf = (served: Served) => ({ ...servedHeaders(served, parseMs), ...notesHeader(served.notes) })
    const answer = gateway.run(call, errand, request)
    if (errand.streams && request['stream'] === true) {
      const wantsUsage = asObject(request['stream_options'])?.['include_usage'] === true
      const writerOf = () => createChatWriter(wantsUsage)
      const protocol = { writeError: writeOpenAiError }
      await streamAnswer({ reply, answer, writerOf, protocol, signal: call.signal, keepAliveMs, headersOf })
      return reply
    }
    const { served, reply: answered } = await answer
    if (answered.kind !== 'complete') throw new Error(`${served.model.id} streamed an answer nobody asked to stream`)
    return reply.headers(headersOf(served)).send(answered.completion)
  })
}
