import type { GatewayError } from '../errors.ts'
import type { ChatCompletion, ChatRequest } from './chat/schema.ts'
import type { StreamPart } from './stream-part.ts'
import type { Usage } from './usage.ts'

/** One language that callers speak. Routes and tests are derived from the list in `protocols.ts`. */
export interface Protocol {
  readonly name: string
  /** Where it is spoken, without the base URL's `/v1`. */
  readonly path: string
  /** Translates a request body. Throws `invalid_request` naming the field; what it does not know is kept. */
  parseRequest(body: unknown): ParsedRequest
  /** An answer that failed before its first byte. */
  writeError(error: GatewayError): ErrorReply
}

/** A request in the internal form, and the way back for its answer, which may depend on what was asked. */
export interface ParsedRequest {
  request: ChatRequest
  /** What was left out or changed because chat completions have no word for it, for the log and a response header. */
  notes: readonly string[]
  /** The body itself, where servers are asked in this protocol too. */
  native?: Readonly<Record<string, unknown>>
  createStreamWriter(reply: ReplyFacts): StreamWriter
  writeCompletion(completion: ChatCompletion, reply: ReplyFacts): object
}

/** What an answer says about itself, known before its first token. */
export interface ReplyFacts {
  /** Letters, digits, `_` and `-`; the ids of the answer and its parts are made from it. */
  id: string
  /** The model name that the caller sees. */
  model: string
  /** Seconds since the epoch. */
  createdSeconds: number
  /** What the prompt is expected to take, for protocols that report it before the model has. */
  promptTokens: number
}

/**
 * Writes one stream in the caller's protocol. A pure state machine: no clock, no socket. After `end` or `fail` nothing more
 * may be pushed.
 */
export interface StreamWriter {
  /** The bytes to send for this part; empty when it says nothing in this protocol. */
  push(part: StreamPart): Buffer
  /** The bytes that end a whole answer. `usage` stands in where the stream brought none. */
  end(usage?: Usage): Buffer
  /** The bytes that end a stream which broke after it had begun. */
  fail(error: GatewayError): Buffer
  /** Something to send while nothing happens; never changes the answer. */
  keepAlive(): Buffer
}

export interface ErrorReply {
  /** HTTP status. */
  status: number
  body: object
}

/** One server-sent event whose name is also its payload's `type`. */
export function eventFrame(payload: { type: string; [field: string]: unknown }): string {
  return `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`
}

/** A comment: every client skips it. */
export const commentFrame = ': keep-alive\n\n'
