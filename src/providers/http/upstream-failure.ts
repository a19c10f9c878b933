import { type FailureCode, type FailureDetails, GatewayError } from '../../errors.ts'
import { hideSecret, redact } from '../../redact.ts'
import type { Overflow } from './context-overflow.ts'
import { readRefusal, type Refusal } from './refusal.ts'

/** Who refused, for the words of the failure. */
export interface Refuser {
  /** As people call it: `Ollama`. */
  label: string
  /** The variable that holds its key, if it has one. */
  apiKeyVariable: string | undefined
  /** Never to appear in a message. */
  apiKey: string | undefined
  /** The model that was asked; undefined where the question was about the server itself. */
  model: string | undefined
  now: number
}

/** The refusal as one of our failures, in words that say what happened and what to do. */
export function upstreamFailure(refusal: Refusal, refuser: Refuser): GatewayError {
  const told = readRefusal(refusal, refuser.now)
  const { status, retryAfterSeconds } = told
  const { label, model } = refuser
  const about = model === undefined ? label : `${label} (${model})`
  const quote = quoted(told.message, refuser.apiKey)
  const failure = (code: FailureCode, sentence: string, details: FailureDetails = {}) =>
    new GatewayError(code, `${sentence}${quote === '' ? '' : ` It said: ${quote}`}`, details)
  const when = retryAfterSeconds === undefined ? 'later' : `in ${retryAfterSeconds} s`
  const later = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }

  if (told.overflow !== undefined) return contextFailure(about, told.overflow, quote)
  if (status === 401 || status === 403) {
    const check = refuser.apiKeyVariable ?? 'whether it wants one'
    return failure('upstream_unauthorized', `${about} refuses the key (${status}); check ${check}.`)
  }
  if (status === 402) {
    return failure('upstream_payment_required', `${about} wants payment; check the balance of its account.`)
  }
  if (status === 429) {
    return failure('upstream_rate_limited', `${about} takes no more requests for now; try again ${when}.`, later)
  }
  if (status === 503 && retryAfterSeconds !== undefined) {
    return failure('upstream_rate_limited', `${about} is busy; try again ${when}.`, later)
  }
  if (told.loading) {
    return failure('upstream_unavailable', `${about} is still loading its model; try again in a moment.`)
  }
  if (told.unable) return failure('unsupported', `${about} cannot do what the request asks; use another model.`)
  if (status === 404 || status === 410 || told.unknownModel) {
    return failure(
      'model_not_found',
      model === undefined
        ? `${label} does not know that address (${status}); check its URL and version.`
        : `${label} has no model ${model} (${status}); look at its list of models.`,
    )
  }
  if (status === 408 || status === 504) {
    return failure('upstream_timeout', `${about} ran out of time itself (${status}); try again or use another model.`)
  }
  if (status >= 500) return failure('upstream_error', `${about} failed (${status}); see its log or use another model.`)
  if (status >= 400)
    return failure('upstream_rejected', `${about} rejects the request (${status}); mend it or use another model.`)
  return failure('upstream_error', `${about} answered ${status} where an answer was due; check its address.`)
}

/** An error event inside a stream, or an error body under status 200. */
export function toldFailure(error: unknown, refuser: Refuser): GatewayError {
  return upstreamFailure({ status: 200, headers: {}, text: JSON.stringify({ error }) }, refuser)
}

/** The failure of a prompt that a model has no room for; `quote` is what its server said. */
export function contextFailure(about: string, { promptTokens, contextTokens }: Overflow, quote = ''): GatewayError {
  const needs = promptTokens === undefined ? 'The request' : `The request needs ${promptTokens} tokens and`
  const room = contextTokens === undefined ? 'the context' : `the context of ${contextTokens} tokens`
  const sentence = `${needs} does not fit ${room} of ${about}; shorten it, give the model more context or use another one.`
  // The upstream's own words are worth their room only where they may hold a number that we did not find.
  const complete = promptTokens !== undefined && contextTokens !== undefined
  const message = complete || quote === '' ? sentence : `${sentence} It said: ${quote}`
  return new GatewayError('context_length_exceeded', message, { param: 'messages' })
}

const maxQuoteChars = 500
/** Longer messages are cut before they are searched for secrets. */
const maxSearchedChars = 8 * maxQuoteChars

/** The upstream's own words: one line, at most 500 characters, without anything that looks like a secret. */
function quoted(message: string, apiKey: string | undefined): string {
  const plain = message.replaceAll(/\s+/g, ' ').trim().slice(0, maxSearchedChars)
  return redact(apiKey === undefined ? plain : hideSecret(plain, apiKey), maxQuoteChars)
}
