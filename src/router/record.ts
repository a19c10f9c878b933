import type { CascadePlan } from './cascade.ts'
import type { Decision } from './decide.ts'
import type { DropCode } from './filter.ts'
import type { Measured } from './measure.ts'
import type { RequestOptions } from './options.ts'
import type { Standing, Terms } from './rank.ts'

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
  standings: Standing[]
  terms: Terms | null
  floor: number
  rule: Decision['rule']
  propensity: number
  cascade: CascadePlan | null
  dropped: { model: string; code: DropCode; reason: string; until?: number }[]
  droppedCount: number
  /** Milliseconds since the epoch. */
  at: number
  chance: number
}

const mostRanked = 10
const mostStandings = 40
const mostDropped = 20

/** `decision` as plain JSON of bounded size. */
export function recordOf(decision: Decision): DecisionRecord {
  const { asked, measured, options, reason, ranked, dropped, standings } = decision
  return {
    asked,
    reason,
    measured,
    options,
    ranked: ranked.slice(0, mostRanked).map(model => model.id),
    rankedCount: ranked.length,
    standings: standings.slice(0, mostStandings),
    terms: decision.terms ?? null,
    floor: decision.floor,
    rule: decision.rule,
    propensity: decision.propensity,
    cascade: decision.cascade ?? null,
    dropped: dropped.slice(0, mostDropped).map(({ model, drop }) => ({ model: model.id, ...drop })),
    droppedCount: dropped.length,
    at: decision.at,
    chance: decision.chance,
  }
}
