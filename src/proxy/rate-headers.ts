import type { RateAdmission, RateSnapshot } from '../gateway/rate-limits.ts'

/** The limits of a caller as OpenAI sends them: `x-ratelimit-remaining-requests: 59`, `x-ratelimit-reset-tokens: 6m0s`. */
export function openAiRateHeaders({ requests, tokens }: RateAdmission): Record<string, string> {
  return headersOf({ requests, tokens }, (unit, { limit, remaining, resetMs }) => ({
    [`x-ratelimit-limit-${unit}`]: String(limit),
    [`x-ratelimit-remaining-${unit}`]: String(remaining),
    [`x-ratelimit-reset-${unit}`]: durationText(resetMs),
  }))
}

/** The same as Anthropic sends them, with the time at which they are whole again. `now` in milliseconds since the epoch. */
export function anthropicRateHeaders({ requests, tokens }: RateAdmission, now: number): Record<string, string> {
  return headersOf({ requests, tokens }, (unit, { limit, remaining, resetMs }) => ({
    [`anthropic-ratelimit-${unit}-limit`]: String(limit),
    [`anthropic-ratelimit-${unit}-remaining`]: String(remaining),
    [`anthropic-ratelimit-${unit}-reset`]: `${new Date(Math.ceil((now + resetMs) / 1000) * 1000).toISOString().slice(0, 19)}Z`,
  }))
}

type Unit = 'requests' | 'tokens'

function headersOf(
  snapshots: Readonly<Record<Unit, RateSnapshot | undefined>>,
  write: (unit: Unit, snapshot: RateSnapshot) => Record<string, string>,
): Record<string, string> {
  return Object.fromEntries(
    (['requests', 'tokens'] as const).flatMap(unit => {
      const snapshot = snapshots[unit]
      return snapshot === undefined ? [] : Object.entries(write(unit, snapshot))
    }),
  )
}

/** `120ms`, `8s`, `6m0s`. */
function durationText(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
