import { z } from 'zod'
import type { GatewayError } from '../../errors.ts'
import type { JsonObject } from '../../json.ts'
import { writeOpenAiError } from '../chat/error.ts'
import { readBody } from '../read-body.ts'
import { readData } from '../sse.ts'

/**
 * Responses over a WebSocket: each text message of the client is one of these events, and each event of a stream is a text
 * message back.
 */
const ClientEvent = z.looseObject({
  type: z.string(),
  /** Requests of the same stream are answered in their order, and their events repeat it. */
  stream_id: z.string().min(1).max(256).optional(),
  /** False: only remembers the input, for a later request to continue from. */
  generate: z.boolean().nullish(),
})

/** What a client asks. */
export type ClientAsk =
  | { kind: 'create'; streamId: string | undefined; generate: boolean; body: JsonObject }
  | { kind: 'steer'; event: JsonObject }
  /** Only tells that the client has read a response. */
  | { kind: 'processed' }
  | { kind: 'unknown'; type: string }

/** Reads a message of a client. Throws `invalid_request`. */
export function readClientEvent(message: unknown): ClientAsk {
  const { type, stream_id: streamId, generate, ...fields } = readBody(ClientEvent, message)
  switch (type) {
    case 'response.create':
      return { kind: 'create', streamId, generate: generate !== false, body: { ...fields, stream: true } }
    case 'response.steer':
      return { kind: 'steer', event: fields }
    case 'response.processed':
      return { kind: 'processed' }
    default:
      return { kind: 'unknown', type }
  }
}

/** The messages for the bytes of an event stream, each with these fields added. */
export function messagesOf(bytes: Buffer, added: Readonly<Record<string, unknown>>): string[] {
  const start = JSON.stringify(added).slice(0, -1)
  return readData(bytes).map(event => (start === '{' ? event : `${start},${event.slice(1)}`))
}

/** The message for a request that failed before its answer began. Codex reads the status and headers beside the error. */
export function socketError(error: GatewayError, streamId?: string): string {
  const { status, body } = writeOpenAiError(error)
  const wait = error.retryAfterSeconds
  return JSON.stringify({
    type: 'error',
    status,
    ...body,
    ...(wait !== undefined && { headers: { 'retry-after': String(Math.ceil(wait)) } }),
    ...(streamId !== undefined && { stream_id: streamId }),
  })
}

/** The refusal of input for an answer that has begun: no server here takes any. The client sends it with its next request. */
export function steerRefusal({ previous_response_id, input }: JsonObject): string {
  return JSON.stringify({
    type: 'response.steer.failed',
    sequence_number: 0,
    error: {
      type: 'invalid_request_error',
      code: 'steering_not_supported',
      message: 'Responses can’t be steered here; send the input with the next response.create.',
    },
    steer: { previous_response_id, input },
  })
}
