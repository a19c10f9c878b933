/** What is left of a rate per minute: refilled continuously, and below zero where more was used than expected. */
export interface RateAllowance {
  /** Units left at `at`. */
  left: number
  /** Milliseconds since the epoch. */
  at: number
}

const minuteMs = 60_000

/** A rate of `perMinute` that nothing was taken of. */
export function fullAllowance(perMinute: number, now: number): RateAllowance {
  return { left: perMinute, at: now }
}

/** The same allowance at `now`; never more than a minute's worth. A clock that went back gives nothing. */
export function refilled({ left, at }: RateAllowance, perMinute: number, now: number): RateAllowance {
  const gained = (Math.max(0, now - at) * perMinute) / minuteMs
  return { left: Math.min(perMinute, left + gained), at: now }
}

/** Milliseconds until `units` are left; a minute's worth counts as any larger number. */
export function msUntil({ left }: RateAllowance, units: number, perMinute: number): number {
  return Math.max(0, ((Math.min(units, perMinute) - left) * minuteMs) / perMinute)
}
