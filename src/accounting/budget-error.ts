import { GatewayError } from '../errors.ts'

/** Calls in progress last some seconds; what they do not use is then left again. */
const reservedSeconds = 2

/**
 * The error for a request that no budget pays for. `problem` says which budget and why; `isReserved`: calls in progress hold what
 * is missing. Times in milliseconds since the epoch.
 */
export function budgetError(
  { isReserved, resetsAt }: { isReserved: boolean; resetsAt: number | null },
  problem: string,
  now: number,
): GatewayError {
  if (isReserved) {
    return new GatewayError(
      'budget_reserved',
      `Too little is left of a budget at the moment: ${problem}. Try again in ${reservedSeconds} s.`,
      {
        retryAfterSeconds: reservedSeconds,
      },
    )
  }
  const when =
    resetsAt === null ? 'It does not begin anew by itself' : `It begins anew at ${new Date(resetsAt).toISOString()}`
  return new GatewayError('budget_exceeded', `Too little is left of a budget: ${problem}. ${when}.`, {
    ...(resetsAt !== null && { retryAfterSeconds: Math.max(1, Math.ceil((resetsAt - now) / 1000)) }),
  })
}
