import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { Call } from '../gateway/call.ts'
import { forgetBody } from './body.ts'

/** Buffered responses kept, and the letters of JSON they may have together; the oldest go first. */
const maxStored = 10_000
const maxCharacters = 16 * 1024 * 1024
const storedMs = 24 * 3_600_000
/** Longest `Idempotency-Key`. */
export const maxKeyCharacters = 255

/** A response in one piece. */
export interface BufferedAnswer {
  headers: Record<string, string>
  body: object
}

/** What one request of a caller is about. */
export interface IdempotentRequest {
  incoming: FastifyRequest
  reply: FastifyReply
  call: Call
}

/** Makes a response; aborted when no request waits for it any more. */
type MakeAnswer = (signal: AbortSignal) => Promise<BufferedAnswer>

/**
 * Buffered responses by the caller's `Idempotency-Key`. Kept in memory: only those of successful requests, for 24 hours, and each
 * only for the API key that asked for it.
 */
export interface Idempotency {
  /**
   * Sends what `make` returns. A request with the key of an earlier one gets the response of that one instead, and waits for
   * it where it is still running. Throws `idempotency_key_reused` where the earlier one had another body.
   */
  send(request: IdempotentRequest, make: MakeAnswer): Promise<FastifyReply>
}

interface StoredReply {
  fingerprint: string
  headers: Record<string, string>
  text: string
}

interface Running {
  fingerprint: string
  answer: Promise<StoredReply>
  controller: AbortController
  /** Callers that wait for it. */
  waiting: number
}

/** `now`: milliseconds since the epoch. */
export function createIdempotency(now: () => number): Idempotency {
  const stored = new LRUCache<string, StoredReply>({
    max: maxStored,
    maxSize: maxCharacters,
    sizeCalculation: ({ text, headers }) => text.length + JSON.stringify(headers).length,
    ttl: storedMs,
    ttlResolution: 0,
    perf: { now },
  })
  const running = new Map<string, Running>()

  function start(id: string, fingerprint: string, make: MakeAnswer): Running {
    const controller = new AbortController()
    const run = async (): Promise<StoredReply> => {
      try {
        const { headers, body } = await make(controller.signal)
        const whole = { fingerprint, headers, text: JSON.stringify(body) }
        stored.set(id, whole)
        return whole
      } finally {
        forget(id, entry)
      }
    }
    const entry: Running = { fingerprint, answer: run(), controller, waiting: 0 }
    running.set(id, entry)
    // Callers that left do not hear how it ended.
    entry.answer.catch(() => undefined)
    return entry
  }

  function forget(id: string, entry: Running): void {
    if (running.get(id) === entry) running.delete(id)
  }

  /** Waits for the response until `signal` aborts; when the last caller leaves, the work ends. */
  async function wait(id: string, entry: Running, signal: AbortSignal): Promise<StoredReply> {
    const left = Promise.withResolvers<never>()
    const leave = () => {
      entry.waiting -= 1
      if (entry.waiting === 0) {
        forget(id, entry)
        entry.controller.abort(signal.reason)
      }
      left.reject(asGatewayError(signal.reason))
    }
    entry.waiting += 1
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    try {
      return await Promise.race([entry.answer, left.promise])
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  return {
    async send({ incoming, reply, call }, make) {
      const key = readKey(incoming)
      const fingerprint = key === undefined ? '' : fingerprintOf(call.endpoint, incoming.body)
      forgetBody(incoming)
      if (key === undefined) {
        const { headers, body } = await make(call.signal)
        return reply.headers(headers).send(body)
      }
      const id = JSON.stringify([call.keyId, key])
      const earlier = stored.get(id) ?? running.get(id)
      if (earlier !== undefined && earlier.fingerprint !== fingerprint) {
        throw new GatewayError(
          'idempotency_key_reused',
          'This Idempotency-Key was already used with a different request; use a new key for each request.',
        )
      }
      const found = stored.get(id) ?? (await wait(id, running.get(id) ?? start(id, fingerprint, make), call.signal))
      return reply
        .headers({ ...found.headers, ...(earlier !== undefined && { 'idempotent-replayed': 'true' }) })
        .type('application/json; charset=utf-8')
        .send(found.text)
    },
  }
}

function readKey({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined || key === '') return undefined
  if (typeof key === 'string' && key.length <= maxKeyCharacters) return key
  throw new GatewayError(
    'invalid_request',
    `Idempotency-Key must be one value of at most ${maxKeyCharacters} characters.`,
  )
}

function fingerprintOf(endpoint: string, body: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([endpoint, body]))
    .digest('base64')
}
