import type { GatewayError } from '../errors.ts'
import type { ChatCompletion, ChatRequest } from './chat/schema.ts'
import type { StreamPart } from './stream-part.ts'
import type { Usage } from './usage.ts'

/** A client protocol. Routes and tests are derived from the list in `protocols.ts`. */
export interface Protocol {
  readonly name: string
  /** The path without the base URL's `/v1`. */
  readonly path: string
  /** Paths, besides its own, below which errors are written in its format. */
  readonly relatedPaths?: readonly string[]
  /** Served at its own path only: clients add no `/v1` to it. */
  readonly unprefixed?: true
  /** Translates a request body. Throws `invalid_request` naming the field; unknown fields are kept. */
  parseRequest(body: unknown): ParsedRequest
  /** The response to a request that failed before its first byte. `requestId` is part of it in some protocols. */
  writeError(error: GatewayError, requestId?: string): ErrorReply
}

/** A request in the internal form, and the translation of its answer, which may depend on the request. */
export interface ParsedRequest {
  request: ChatRequest
  /** What was left out or changed because chat completions have no equivalent, for the log and a response header. */
  notes: readonly string[]
  /** The original body, where servers support this protocol natively. */
  native?: Readonly<Record<string, unknown>>
  /** How a stream is sent; by default as server-sent events. */
  framing?: StreamFraming
  createStreamWriter(reply: ReplyFacts): StreamWriter
  writeCompletion(completion: ChatCompletion, reply: ReplyFacts): object
}

/** Metadata of an answer, known before its first token. */
export interface ReplyFacts {
  /** Letters, digits, `_` and `-`; the ids of the answer and its parts are derived from it. */
  id: string
  /** The model name that the caller sees. */
  model: string
  /** Seconds since the epoch. */
  createdSeconds: number
  /** Estimated prompt usage, for protocols that report it before the model has. */
  promptTokens: number
  timing: ReplyTiming
  /** What the answer costs in USD; undefined where no price is known. */
  costUsd?: (usage: Usage) => number | undefined
}

/** Milliseconds, for protocols that tell how long an answer took. */
export interface ReplyTiming {
  /** From the request's arrival until it went to the model. */
  waitedMs: number
  /** From there to the first token. */
  promptMs: number
  /** From the request's arrival until now. */
  elapsedMs: () => number
}

/** The parts of a stream that exist before its writer does. */
export interface StreamFraming {
  readonly contentType: string
  /** Sent while the caller waits for the first token; never changes the answer. */
  readonly idle: string
  /** Headers that are known only after the response has begun; empty where the format has no place for them. */
  lateHeaders(headers: Readonly<Record<string, string>>): string
  /** The end of a stream that failed before its first token. */
  lateError(error: GatewayError): string
}

/**
 * Writes one stream in the caller's protocol. A state machine without a socket or a clock of its own. Nothing may be pushed after
 * `end` or `fail`.
 */
export interface StreamWriter {
  /** The bytes to send for this part; empty when it has no equivalent in this protocol. */
  push(part: StreamPart): Buffer
  /** The bytes that end a complete answer. `usage` is used where the stream reported none. */
  end(usage?: Usage): Buffer
  /** The bytes that end a stream which failed after it had started. */
  fail(error: GatewayError): Buffer
  /** Bytes to send while the stream is idle; they never change the answer. */
  keepAlive(): Buffer
}

export interface ErrorReply {
  /** HTTP status. */
  status: number
  body: object
}

/** One server-sent event whose name equals its payload's `type`. */
export function eventFrame(payload: { type: string; [field: string]: unknown }): string {
  return `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`
}

/** A comment, which every client ignores. */
export const commentFrame = ': keep-alive\n\n'

/** Server-sent events; `writeError` is that of the protocol. */
export function eventStream(writeError: (error: GatewayError) => ErrorReply): StreamFraming {
  return {
    contentType: 'text/event-stream; charset=utf-8',
    idle: commentFrame,
    lateHeaders: headers =>
      `${Object.entries(headers)
        .map(([name, value]) => `: ${name}: ${value}\n`)
        .join('')}\n`,
    lateError: error => `event: error\ndata: ${JSON.stringify(writeError(error).body)}\n\n`,
  }
}
