import type { Call } from '../gateway/call.ts'
import type { Served } from '../gateway/answer.ts'

const maxListCharacters = 1000

/** The model that answered and why. `parseMs`: from the first byte of the request until it was parsed. */
export function servedHeaders(
  { model, reason, attempts, timings, verification, budgetWarnings }: Served,
  { requestId }: Pick<Call, 'requestId'>,
  parseMs: number,
): Record<string, string> {
  return {
    'x-signalbox-request-id': requestId,
    'x-signalbox-model': headerValue(model.id),
    'x-signalbox-provider': headerValue(model.provider),
    'x-signalbox-reason': headerValue(reason),
    'x-signalbox-attempts': String(attempts),
    ...(verification === undefined ? {} : { 'x-signalbox-verified': verification.passed ? 'passed' : 'failed' }),
    ...(budgetWarnings.length === 0
      ? {}
      : { 'x-signalbox-budget-warning': headerValue(budgetWarnings.join('; ')).slice(0, maxListCharacters) }),
    'server-timing': [
      timing('parse', parseMs),
      timing('route', timings.routeMs),
      timing('queue', timings.queueMs),
      timing('upstream', timings.upstreamMs),
    ].join(', '),
  }
}

/** What a translation left out or changed; truncated to fit a header. */
export function notesHeader(notes: readonly string[]): Record<string, string> {
  return notes.length === 0 ? {} : { 'x-signalbox-notes': headerValue(notes.join('; ')).slice(0, maxListCharacters) }
}

/**
 * A header value is Latin-1 without line ends; anything else would throw after the call was paid for, so it is
 * percent-encoded.
 */
function headerValue(text: string): string {
  return text.replace(/[^\x20-\x7e]|%/g, character =>
    encodeURIComponent(character.isWellFormed() ? character : '\ufffd'),
  )
}

function timing(name: string, milliseconds: number): string {
  return `${name};dur=${Math.max(0, milliseconds).toFixed(2)}`
}
