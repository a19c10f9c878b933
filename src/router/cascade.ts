import type { VerifierRecord } from './evidence.ts'
import type { Verdict } from './verify.ts'

/** What became of one attempt of a cascade. */
export interface Checked {
  model: string
  verdicts: readonly { verifier: string; verdict: Verdict }[]
}

export type NextStep =
  | { step: 'accept' }
  /** Ask the next candidate; `why` is for the record. */
  | { step: 'escalate'; why: string }
  /** The budget is spent or nobody is left: hand over what there is and say that it failed the check. */
  | { step: 'give_up'; why: string }

/**
 * What to do after an attempt: accept what every check accepts, escalate while there are retries and candidates.
 * `retryBudget` is VALIDATION_RETRY_BUDGET, `attempts` counts the one just checked.
 */
export function nextStep(
  checked: Checked,
  state: { attempts: number; retryBudget: number; candidatesLeft: number },
): NextStep {
  const complaint = checked.verdicts.find(({ verdict }) => verdict?.accepted === false)
  if (complaint?.verdict?.accepted !== false) return { step: 'accept' }
  const why = `${checked.model} failed ${complaint.verifier}: ${complaint.verdict.why}`
  if (state.attempts > state.retryBudget) return { step: 'give_up', why: `${why}; no retries are left` }
  if (state.candidatesLeft === 0) return { step: 'give_up', why: `${why}; no other model is left` }
  return { step: 'escalate', why }
}

/** Comparisons before a judge's agreement is taken for known. */
const leastComparisons = 20

/** Whether a judge model's word may count: only if it was measured to agree often enough (MIN_VALIDATOR_SCORE). */
export function trustsJudge(record: VerifierRecord | undefined, minValidatorScore: number): boolean {
  if (record === undefined || record.compared < leastComparisons) return false
  return record.agreed / record.compared >= minValidatorScore
}

/** How often a check accepts, with one imagined acceptance and one imagined rejection. */
export function acceptRate(record: VerifierRecord | undefined): number {
  const { accepted, rejected } = record ?? { accepted: 0, rejected: 0 }
  return (accepted + 1) / (accepted + rejected + 2)
}

/**
 * Expected USD of trying a cheap model first and escalating on rejection, against going to the dear one at once: a cascade
 * pays where its accept rate exceeds cheap / dear.
 */
export function cascadePays(acceptRate: number, cheapUsd: number, dearUsd: number): boolean {
  return cheapUsd + (1 - acceptRate) * dearUsd < dearUsd
}
