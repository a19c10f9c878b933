import { estimate, type Belief } from './beliefs.ts'
import { finalize, seededRandom } from './chance.ts'
import { placeOf, type Evidence, type VerifierRecord } from './evidence.ts'
import type { DecisionContext } from './context.ts'
import type { Policy } from './policy.ts'
import type { Candidate, Ranking, RankingCriteria } from './rank.ts'
import type { Priority } from './select.ts'
import { judgeOf, type Verdict } from './verify.ts'

/** What one check said of one answer. */
export interface CheckedBy {
  verifier: string
  verdict: Verdict
  /** Whether its word counts: a judge's does not until it is known to be right often enough. */
  binding: boolean
  /** Why it could not be made, which is not the answer's fault. */
  problem?: string
}

/** What became of one attempt of a cascade. */
export interface Checked {
  model: string
  verdicts: readonly CheckedBy[]
}

/** The outcome of the checks, for the caller and the ledger. Contains no text of prompt or answer except field and tool names. */
export interface Verification {
  checks: readonly string[]
  passed: boolean
  /** Why an answer is handed over that did not pass; absent where it did. */
  why?: string
  /** Every answer that was checked, in order. */
  answers: readonly Checked[]
}

/** How a request's answers are going to be checked. */
export interface CascadePlan {
  checks: readonly string[]
  retryBudget: number
  /** Who would have been asked first if their answers did not fail these checks so often. */
  skipped: readonly Skipped[]
}

export interface Skipped {
  model: string
  /** The check that its answers fail most often, how often they pass it (0..1) and how many were checked. */
  check: string
  acceptRate: number
  answers: number
}

export type NextStep =
  | { step: 'accept' }
  /** Ask the next candidate; `why` is for the record. */
  | { step: 'escalate'; why: string }
  /** The budget is spent or no candidate is left: deliver the best answer so far and say that it failed the check. */
  | { step: 'give_up'; why: string }

/** The first objection that counts. */
export function complaintOf({ verdicts }: Checked): { verifier: string; why: string } | undefined {
  for (const { verifier, verdict, binding } of verdicts) {
    if (binding && verdict?.accepted === false) return { verifier, why: verdict.why }
  }
  return undefined
}

/**
 * What to do after an attempt: accept what every check that counts accepts, escalate while there are retries and candidates.
 * `retryBudget` is VALIDATION_RETRY_BUDGET, `attempts` counts the one just checked.
 */
export function nextStep(
  checked: Checked,
  state: { attempts: number; retryBudget: number; candidatesLeft: number },
): NextStep {
  const complaint = complaintOf(checked)
  if (complaint === undefined) return { step: 'accept' }
  const why = `${checked.model} failed ${complaint.verifier}: ${complaint.why}`
  if (state.attempts > state.retryBudget) return { step: 'give_up', why: `${why}; no retries are left` }
  if (state.candidatesLeft === 0) return { step: 'give_up', why: `${why}; no better model is left` }
  return { step: 'escalate', why }
}

/** Gains in predicted quality below this are a step sideways. */
const minGain = 0.02

/** Whether going from one to the other is going up, and not to the same model elsewhere or to one just like it. */
export function isBetter(other: Candidate, than: Candidate): boolean {
  return other.quality >= than.quality + minGain
}

/** The answer to hand over when none passed: with the fewest objections and, of those, the one predicted to be best. */
export function fewestObjections<Answer extends { checked: Checked; quality: number }>(
  answers: readonly Answer[],
): Answer | undefined {
  const objections = ({ checked }: Answer) =>
    checked.verdicts.filter(({ binding, verdict }) => binding && verdict?.accepted === false).length
  return answers.toSorted((a, b) => objections(a) - objections(b) || b.quality - a.quality)[0]
}

/** Comparisons before a judge's agreement is taken for known. */
const minComparisons = 20

/** Whether a judge model's word may count: only if it was measured to agree often enough (MIN_VALIDATOR_SCORE). */
export function trustsJudge(record: VerifierRecord | undefined, minValidatorScore: number): boolean {
  if (record === undefined || record.compared < minComparisons) return false
  return record.agreed / record.compared >= minValidatorScore
}

/** How often a check accepts, with one imagined acceptance and one imagined rejection; `now` in ms since the epoch. */
export function acceptRate(belief: Belief | undefined, now: number): number {
  return estimate(belief, evenPrior, 1, now).mean
}

const evenPrior = { rate: 0.5, base: 0.5, strength: 2 }

/**
 * Expected effort of trying a cheap model first and escalating on rejection, against calling the expensive one at once: a cascade
 * pays where its accept rate exceeds cheap / expensive. Both are in the same unit.
 */
export function cascadePays(acceptRate: number, cheap: number, expensive: number): boolean {
  return cheap + (1 - acceptRate) * expensive < expensive
}

/**
 * What a passed check says about an answer, 0..1: a check never rejects what is right, so what passes is right with
 * probability `quality / acceptRate` (Bayes). On average passes and rejections then leave a prediction where it was, unless
 * fewer answers pass than it promised.
 */
export function scoreOfPass(quality: number, acceptRate: number): number {
  return Math.min(1, quality / acceptRate)
}

/** Answers that were checked before a rate is taken for known; until then the ranking stands. */
const minAnswers = 5

/** How often answers of one model (an ability's key) pass the check they fail most; undefined where too few were checked. */
export function lowestAcceptRate(
  evidence: Evidence,
  { key, category, checks }: { key: string; category: string; checks: readonly string[] },
  now: number,
): Omit<Skipped, 'model'> | undefined {
  const places = evidence.accepts.get(key)
  if (places === undefined) return undefined
  let lowest: Omit<Skipped, 'model'> | undefined
  for (const check of checks) {
    const { mean, count } = estimate(places.get(placeOf(check, category)), evenPrior, 1, now)
    const answers = count - evenPrior.strength
    // An observation fades a little within hours; five yesterday are still five.
    if (Math.round(answers) < minAnswers || mean >= (lowest?.acceptRate ?? Infinity)) continue
    lowest = { check, acceptRate: mean, answers: Math.round(answers) }
  }
  return lowest
}

/** What one whole point of quality may cost in a cascade, in multiples of COST_THRESHOLD, and in seconds. */
const worth: Readonly<Record<Priority, { thresholds: number; seconds: number }>> = {
  cost: { thresholds: 5, seconds: 600 },
  quality: { thresholds: 500, seconds: 6_000 },
  speed: { thresholds: 50, seconds: 20 },
}

/** What an answer of this candidate takes, money and time together, in points of quality. */
function effortOf({ costUsd, seconds }: Candidate, priority: Priority, policy: Policy): number {
  const worthOf = worth[priority]
  // An unknown price is assumed to be high: ten thresholds.
  const cost = costUsd ?? 10 * policy.costThresholdUsd
  return cost / (Math.max(policy.costThresholdUsd, 1e-4) * worthOf.thresholds) + seconds / worthOf.seconds
}

/** By what a cascade is begun. */
export interface CascadeCriteria {
  checks: readonly string[]
  criteria: RankingCriteria
}

/**
 * The ranking with the model that starts the cascade first: that is its first, unless its answers fail the checks so
 * often that going to a better one at once takes less. Now and then it is tried all the same, as EXPLORATION_SHARE allows,
 * since a model that is never asked can never show that it has become better.
 */
export function beginAt(
  prospects: readonly Candidate[],
  ranking: Ranking,
  wanted: CascadeCriteria,
  { evidence, policy, likeliest, now }: Pick<DecisionContext, 'evidence' | 'policy' | 'likeliest' | 'now'>,
  chance: number,
): { ranking: Ranking; skipped: Skipped[] } {
  if (ranking.rule === 'explored') return { ranking, skipped: [] }
  const known = wanted.checks.filter(check => isBinding(check, evidence, policy))
  const skipped: Skipped[] = []
  const [first] = ranking.order
  let place = first
  while (place !== undefined) {
    const here = prospects[place]!
    const next = ranking.order.find(other => isAlike(prospects[other]!, here) && isBetter(prospects[other]!, here))
    const rate = lowestAcceptRate(evidence, { key: here.key, category: likeliest, checks: known }, now)
    if (next === undefined || rate === undefined) break
    const effort = (candidate: Candidate) => effortOf(candidate, wanted.criteria.priority, policy)
    if (cascadePays(rate.acceptRate, effort(here), effort(prospects[next]!))) break
    skipped.push({ model: here.model, ...rate })
    place = next
  }
  if (place === undefined || place === first) return { ranking, skipped }
  const share = wanted.criteria.explore ? policy.explorationShare : 0
  if (seededRandom(finalize(Math.floor(chance * 2 ** 32)))() < share) {
    return { ranking: { ...ranking, rule: 'explored', propensity: ranking.propensity * share }, skipped: [] }
  }
  const order = [place, ...ranking.order.filter(other => other !== place)]
  return { ranking: { ...ranking, order, rule: 'best', propensity: ranking.propensity * (1 - share) }, skipped }
}

/** Neither waiting nor quality below the floor is accepted for the sake of a cascade. */
export function isAlike(other: Candidate, here: Candidate): boolean {
  return other.adequate === here.adequate && other.postponed === here.postponed
}

/** Whether a check may reject an answer: a judge only once it is known to be right often enough. */
export function isBinding(check: string, evidence: Evidence, { minValidatorScore }: Policy): boolean {
  return judgeOf(check) === undefined || trustsJudge(evidence.verifiers.get(check), minValidatorScore)
}
