import type { CascadePlan } from './cascade.ts'
import type { Decision } from './decide.ts'
import type { ExclusionCode } from './filter.ts'
import type { Measured } from './measure.ts'
import type { RequestOptions } from './options.ts'
import type { Candidate, RankingCriteria } from './rank.ts'

/** A decision as it is stored: who was in question, who was not and why. No word of the prompt. */
export interface DecisionRecord {
  asked: readonly string[]
  reason: string
  measured: Measured
  options: RequestOptions
  /** Ids, best first, at most ten; `rankedCount` says how many there were. */
  ranked: string[]
  rankedCount: number
  /** What was expected of the best candidates, in order; enough to decide again under another policy. */
  candidates: Candidate[]
  criteria: RankingCriteria | null
  floor: number
  rule: Decision['rule']
  propensity: number
  cascade: CascadePlan | null
  excluded: { model: string; code: ExclusionCode; reason: string; until?: number }[]
  droppedCount: number
  /** Milliseconds since the epoch. */
  at: number
  chance: number
}

const maxRanked = 10
const maxCandidates = 40
const maxExcluded = 20

/** `decision` as plain JSON of bounded size. */
export function recordOf(decision: Decision): DecisionRecord {
  const { asked, measured, options, reason, ranked, excluded, candidates } = decision
  return {
    asked,
    reason,
    measured,
    options,
    ranked: ranked.slice(0, maxRanked).map(model => model.id),
    rankedCount: ranked.length,
    candidates: candidates.slice(0, maxCandidates),
    criteria: decision.criteria ?? null,
    floor: decision.floor,
    rule: decision.rule,
    propensity: decision.propensity,
    cascade: decision.cascade ?? null,
    excluded: excluded.slice(0, maxExcluded).map(({ model, exclusion }) => ({ model: model.id, ...exclusion })),
    droppedCount: excluded.length,
    at: decision.at,
    chance: decision.chance,
  }
}
