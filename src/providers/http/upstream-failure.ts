import { type FailureCode, type FailureDetails, GatewayError } from '../../errors.ts'
import { hideSecret, redact } from '../../redact.ts'
import type { Overflow } from './context-overflow.ts'
import { readErrorReply, type UpstreamErrorReply, type ReportedError } from './error-reply.ts'

/** The endpoint that reported the error, for the message. */
export interface ErrorSource {
  /** Display name: `Ollama`. */
  label: string
  /** The variable with its API key, if it has one. */
  apiKeyVariable: string | undefined
  /** Must never appear in a message. */
  apiKey: string | undefined
  /** The requested model; undefined where the request concerned the server itself. */
  model: string | undefined
  now: number
}

/** Converts the upstream's error response to a `GatewayError` that says what happened and what to do. */
export function upstreamFailure(refusal: UpstreamErrorReply, source: ErrorSource): GatewayError {
  const reported = readErrorReply(refusal, source.now)
  const { status, retryAfterSeconds } = reported
  const { label, model } = source
  const about = model === undefined ? label : `${label} (${model})`
  const quote = quoted(reported.message, source.apiKey)
  const failure = (code: FailureCode, sentence: string, details: FailureDetails = {}) =>
    new GatewayError(code, `${sentence}${quote === '' ? '' : ` It said: ${quote}`}`, details)
  const when = retryAfterSeconds === undefined ? 'later' : `in ${retryAfterSeconds} s`
  const later = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }

  if (reported.overflow !== undefined) return contextFailure(about, reported.overflow, quote)
  if (status === 403 && reported.aboutTheRequest) {
    return failure(
      'upstream_rejected',
      `${about} rejected the content of the request (403); change it or use another model.`,
    )
  }
  if (status === 401 || status === 403) {
    const check = source.apiKeyVariable ?? 'that one is required'
    return failure('upstream_unauthorized', `${about} rejected the API key (${status}); check ${check}.`)
  }
  if (status === 402 && reported.unaffordable) {
    return failure(
      'upstream_unaffordable',
      `${about} costs more than the balance of its account covers; lower max_tokens.`,
    )
  }
  if (status === 402) {
    return failure('upstream_payment_required', `${about} requires payment; check the balance of its account.`)
  }
  if (status === 429) {
    return failure(limitCodes[reported.limited], `${about} is rate-limited; try again ${when}.`, later)
  }
  if (reported.loading) {
    return failure('upstream_not_ready', `${about} is still loading its model; try again in a moment.`, later)
  }
  if (status === 503 && reported.aboutTheModel) {
    return failure('upstream_not_ready', `${about} is not ready (503); try again ${when} or use another model.`, later)
  }
  if (status === 503) return failure('upstream_busy', `${about} is busy (503); try again ${when}.`, later)
  if (reported.unable)
    return failure('unsupported', `${about} does not support a feature of the request; use another model.`)
  if (status === 404 || status === 410 || reported.unknownModel) {
    return failure(
      'model_not_found',
      model === undefined
        ? `${label} has no such endpoint (${status}); check its URL and version.`
        : `${label} has no model ${model} (${status}); check its list of models.`,
    )
  }
  if (status === 408 || status === 504) {
    return failure('upstream_timeout', `${about} timed out (${status}); try again or use another model.`)
  }
  if (status >= 500) return failure('upstream_error', `${about} failed (${status}); see its log or use another model.`)
  if (status >= 400)
    return failure('upstream_rejected', `${about} rejected the request (${status}); fix it or use another model.`)
  return failure('upstream_error', `${about} returned unexpected status ${status}; check its address.`)
}

const limitCodes: Readonly<Record<ReportedError['limited'], FailureCode>> = {
  model: 'upstream_rate_limited',
  'free models': 'upstream_free_limited',
  account: 'upstream_account_limited',
}

/** An error event inside a stream, or an error body under status 200. */
export function reportedFailure(error: unknown, source: ErrorSource): GatewayError {
  return upstreamFailure({ status: 200, headers: {}, text: JSON.stringify({ error }) }, source)
}

/** The error for a prompt that exceeds a model's context; `quote` is the server's message. */
export function contextFailure(about: string, { promptTokens, contextTokens }: Overflow, quote = ''): GatewayError {
  const needs = promptTokens === undefined ? 'The request' : `The request needs ${promptTokens} tokens and`
  const room = contextTokens === undefined ? 'the context' : `the context of ${contextTokens} tokens`
  const sentence = `${needs} exceeds ${room} of ${about}; shorten it, give the model more context or use another one.`
  // The upstream's message is quoted only where it may hold a number that was not recognized.
  const complete = promptTokens !== undefined && contextTokens !== undefined
  const message = complete || quote === '' ? sentence : `${sentence} It said: ${quote}`
  return new GatewayError('context_length_exceeded', message, {
    param: 'messages',
    overflow:
      promptTokens === undefined || contextTokens === undefined
        ? undefined
        : { promptTokens, maxPromptTokens: contextTokens },
  })
}

const maxQuoteChars = 500
/** Longer messages are cut before they are searched for secrets. */
const maxSearchedChars = 8 * maxQuoteChars

/** The upstream's message: one line, at most 500 characters, secrets redacted. */
function quoted(message: string, apiKey: string | undefined): string {
  const plain = message.replaceAll(/\s+/g, ' ').trim().slice(0, maxSearchedChars)
  return redact(apiKey === undefined ? plain : hideSecret(plain, apiKey), maxQuoteChars)
}
