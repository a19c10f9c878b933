import type { IncomingHttpHeaders } from 'node:http'
import { isObject, parseJson, readNumber } from '../../json.ts'
import { type Overflow, readOverflow } from './context-overflow.ts'

/** An upstream's error response. */
export interface UpstreamErrorReply {
  status: number
  headers: IncomingHttpHeaders
  /** At most 64 KB of it. */
  text: string
}

/** The parsed error. */
export interface ReportedError {
  /** The intended status, where the one sent was 200. */
  status: number
  message: string
  overflow: Overflow | undefined
  unknownModel: boolean
  /** The server is loading its model. */
  loading: boolean
  /** The model does not support a requested feature: images, tools, reasoning. */
  unable: boolean
  /** The error concerns the content of the request or the caller's region, not the key. */
  aboutTheRequest: boolean
  /** The account's balance covers a smaller answer. */
  unaffordable: boolean
  /** The endpoint is up, but this model is not available there now. */
  aboutTheModel: boolean
  /** What the rate limit applies to. */
  limited: 'model' | 'free models' | 'account'
  /** Seconds until a retry makes sense, at most an hour. */
  retryAfterSeconds: number | undefined
}

/** Reads `{error:{message}}`, `{"error":"text"}`, `{"detail":…}`, `{"message":…}`, a web page or bare text. */
export function readErrorReply({ status: sent, headers, text }: UpstreamErrorReply, now: number): ReportedError {
  const body = parseJson(text)
  const error = isObject(body) && isObject(body.error) ? body.error : body
  const message = messageIn(body) ?? pageTitle(text)
  const { code, type } = isObject(error) ? error : {}
  const names = [code, type].filter(name => typeof name === 'string').join(' ')
  const status = sent >= 300 ? sent : (statusIn(code) ?? statusOf(names))
  const mayOverflow = [400, 413, 422, 500, 502].includes(status)
  return {
    status,
    message,
    overflow: mayOverflow ? readOverflow(error, names, message) : undefined,
    unknownModel: names.includes('model_not_found') || unknownModel.test(message),
    loading: status === 503 && /\bloading\b/i.test(message),
    unable: [400, 404, 422, 500, 501].includes(status) && unable.test(message),
    aboutTheRequest: flagged.test(message) || (isObject(error) && isObject(error.metadata) && flags(error.metadata)),
    unaffordable: cannotAfford.test(message),
    aboutTheModel: aboutTheModel.test(message),
    limited: limitScope(headers, body, message),
    retryAfterSeconds: retryAfter(headers, body, now),
  }
}

const flagged = /moderation|flagged|content policy|safety|not available in your (region|country|location)/i
const flags = (metadata: object) => 'flagged_input' in metadata || 'reasons' in metadata
const cannotAfford = /can only afford|fewer max_tokens/i
const aboutTheModel = /\bmodel\b|no available|no (instances|endpoints|providers)|provider returned/i

/** OpenRouter puts the headers of its own limits into the body; limits of a model's hosts come without. */
function limitScope(headers: IncomingHttpHeaders, body: unknown, message: string): ReportedError['limited'] {
  if (/free-models-per/i.test(message)) return 'free models'
  const remaining = limitHeader(body, 'X-RateLimit-Remaining') ?? headers['x-ratelimit-remaining']
  return readNumber(remaining) === 0 ? 'account' : 'model'
}

const unknownModel = /model\b.*\b(not found|does not exist)|not a valid model/i
const unable = /(does not|doesn't|is not|are not) support(ed)?\b|no endpoints found that support/i

function messageIn(body: unknown): string | undefined {
  if (!isObject(body)) return undefined
  const { error, detail, message } = body
  for (const value of [isObject(error) ? error.message : error, detail, message]) {
    if (typeof value === 'string') return rawMessage(error) ?? value
    if (typeof value === 'object' && value !== null) return JSON.stringify(value)
  }
  return isObject(error) ? JSON.stringify(error) : undefined
}

/** OpenRouter says "Provider returned error" and puts the provider's own message in the metadata. */
function rawMessage(error: unknown): string | undefined {
  if (!isObject(error) || !isObject(error.metadata) || typeof error.metadata.raw !== 'string') return undefined
  return `${String(error.message)}: ${error.metadata.raw}`
}

function pageTitle(text: string): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1]
  return title ?? text.replaceAll(/<[^>]*>/g, ' ')
}

function statusIn(code: unknown): number | undefined {
  const status = readNumber(code)
  return status !== undefined && status >= 400 && status <= 599 ? status : undefined
}

function statusOf(names: string): number {
  if (names.includes('rate_limit')) return 429
  if (/invalid_request|bad_request|exceed_context|context_length/.test(names)) return 400
  if (/auth|permission/.test(names)) return 401
  if (/insufficient|payment/.test(names)) return 402
  return 502
}

/** Longer waits are mistakes of the server. */
const maxWaitSeconds = 3_600

/** `Retry-After` (seconds or a date), its millisecond variant, or OpenRouter's reset time. */
function retryAfter(headers: IncomingHttpHeaders, body: unknown, now: number): number | undefined {
  const seconds = waitSeconds(headers, body, now)
  return seconds === undefined ? undefined : Math.min(maxWaitSeconds, Math.max(0, Math.ceil(seconds)))
}

function waitSeconds(headers: IncomingHttpHeaders, body: unknown, now: number): number | undefined {
  const sent = headers['retry-after']
  if (sent !== undefined) {
    const seconds = readNumber(sent)
    if (seconds !== undefined) return seconds
    const date = Date.parse(sent)
    if (!Number.isNaN(date)) return (date - now) / 1000
  }
  const milliseconds = readNumber(headers['retry-after-ms'])
  if (milliseconds !== undefined) return milliseconds / 1000
  const reset = readNumber(limitHeader(body, 'X-RateLimit-Reset') ?? headers['x-ratelimit-reset'])
  // Milliseconds since the epoch; some servers send seconds from now under the same name.
  return reset !== undefined && reset > 1e11 ? (reset - now) / 1000 : reset
}

/** A rate limit header that OpenRouter repeats in the body. */
function limitHeader(body: unknown, name: string): unknown {
  const error = isObject(body) ? body.error : undefined
  const metadata = isObject(error) ? error.metadata : undefined
  const headers = isObject(metadata) ? metadata.headers : undefined
  return isObject(headers) ? headers[name] : undefined
}
