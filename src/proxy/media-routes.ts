import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Answer } from '../gateway/answer.ts'
import { isObject } from '../json.ts'
import { disconnectSignal } from '../operations/disconnect-signal.ts'
import { mediaEndpoints, type MediaRequest } from '../wire/media.ts'
import { ModelName } from '../wire/model-name.ts'
import { readForm } from '../wire/multipart.ts'
import type { StreamWriter } from '../wire/protocol.ts'
import { readBody } from '../wire/read-body.ts'
import type { NonChatReply } from '../wire/non-chat.ts'
import { GatewayError } from '../errors.ts'
import { forgetBody, readFormsAsBytes } from './body.ts'
import { admit } from './admit.ts'
import { openCall } from './call-of.ts'
import type { RouteParts } from './chat-routes.ts'
import { httpTarget } from './http-stream.ts'
import { deploymentIn } from './path-aliases.ts'
import { notesHeader, servedHeaders } from './served-headers.ts'
import { streamAnswer } from './stream-answer.ts'

/** `POST /v1/moderations`, `/v1/audio/…` and `/v1/images/…`: passed on to a server that has a model for it. */
export function registerMediaRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { gateway, keepAliveMs, now } = parts
  app.register((scope, _options, done) => {
    readFormsAsBytes(scope)
    for (const endpoint of mediaEndpoints) {
      scope.post(endpoint.path, async (incoming, reply) => {
        const call = {
          ...openCall(incoming, disconnectSignal(reply), endpoint.name),
          ...admit(incoming, reply, parts),
        }
        const request = readMedia(incoming)
        forgetBody(incoming)
        const parseMs = now() - call.receivedAt
        const { answer, contentType } = await begun(await gateway.relay(call, endpoint, request))
        const target = httpTarget(reply, { contentType, idle: '', lateHeaders: () => '', lateError: () => '' })
        await streamAnswer({
          // An answer that breaks off must not look complete.
          target: { ...target, fail: () => target.abandon() },
          answer: Promise.resolve(answer),
          writerOf: () => asItIs,
          signal: call.signal,
          keepAliveMs,
          headersOf: served => ({ ...servedHeaders(served, call, parseMs), ...notesHeader(served.notes) }),
        })
        return reply
      })
    }
    done()
  })
}

function readMedia({ body, headers, originalUrl }: FastifyRequest): MediaRequest {
  const deployed = deploymentIn(originalUrl)
  if (Buffer.isBuffer(body)) {
    const type = headers['content-type']!
    const form = readForm(body, type)
    const { model } = readBody(Named, { model: deployed ?? (form.field('model') || undefined) })
    return {
      model,
      withModel: name => ({ content: { pieces: form.withField('model', name), type } }),
    }
  }
  if (!isObject(body)) throw new GatewayError('invalid_request', 'The request body must be a JSON object or a form.')
  const { model } = readBody(Named, body)
  return { model, withModel: model => ({ json: { ...body, model } }) }
}

/** All that is read of a request. */
const Named = z.looseObject({ model: ModelName.default('auto') })

/** The answer from its first part on, which says what it is. */
async function begun(answer: Answer<NonChatReply>): Promise<{ answer: Answer<NonChatReply>; contentType: string }> {
  const { served, reply } = answer
  if (reply.kind !== 'stream') throw new Error(`${served.model.id} answered a passed-on request in one piece`)
  const { parts } = reply
  const first = await parts.next()
  async function* all() {
    try {
      if (first.done !== true) yield first.value
      yield* parts
    } finally {
      await parts.return()
    }
  }
  const contentType = first.done === true ? undefined : first.value.opaque?.contentType
  return { answer: { served, reply: { kind: 'stream', parts: all() } }, contentType: contentType ?? 'application/json' }
}

const nothing = Buffer.alloc(0)

/** Writes the bytes of a server unchanged. */
const asItIs: StreamWriter = {
  push: ({ bytes }) => bytes,
  end: () => nothing,
  fail: () => nothing,
  keepAlive: () => nothing,
}
