import { isAlike, isBetter } from '../cascade.ts'
import type { Policy } from '../policy.ts'
import type { DecisionRecord } from '../record.ts'
import { rank, type Candidate } from '../rank.ts'
import type { Priority } from '../select.ts'

/** A stored decision beside what came of it. */
export interface ReplayRow {
  decision: DecisionRecord
  /** The model that answered in the end; null when none did. */
  model: string | null
  /** USD that was charged. */
  costUsd: number | null
  /** By model: what is known of its answer to this request; see `outcomesOf`. */
  outcomes: Readonly<Record<string, ReplayOutcome>>
}

/** How good an answer turned out, and who says so. */
export interface ReplayOutcome {
  /** 0..1 */
  score: number
  by: 'rating' | 'checks'
}

/** What a replay changes: thresholds of the policy, and the request's own terms. */
export interface ReplayPolicy extends Partial<Policy> {
  name?: string
  priority?: Priority
  /** In place of every request's own limit. */
  minQuality?: number
  localOnly?: boolean
  maxCostUsd?: number
}

/** What a policy would have done in the period. */
export interface ReplayResult {
  name: string
  requests: number
  /** Requests that it could not serve. */
  unserved: number
  /** USD in all: charged where the same model answered, expected elsewhere. */
  costUsd: number
  /** Served requests whose cost is the one that was charged. */
  charged: number
  /** Mean quality of the served: what came of it where that is known, predicted elsewhere. */
  quality: number
  /** Served requests by where their quality comes from. */
  rated: number
  checked: number
  predicted: number
  seconds: number
  /** Requests per model. */
  models: Record<string, number>
}

/** The model a policy chooses for a stored decision; undefined if it excludes all. */
export type Choose = (record: DecisionRecord, answered: string | null) => Candidate | undefined

/** One policy over stored decisions, read once: add each row, then ask for the result. */
export function createReplay(name: string, choose: Choose) {
  const result: ReplayResult = {
    name,
    requests: 0,
    unserved: 0,
    costUsd: 0,
    charged: 0,
    quality: 0,
    rated: 0,
    checked: 0,
    predicted: 0,
    seconds: 0,
    models: {},
  }
  return {
    add({ decision, model, costUsd, outcomes }: ReplayRow): void {
      result.requests++
      const chosen = choose(decision, model)
      if (chosen === undefined) {
        result.unserved++
        return
      }
      const charged = chosen.model === model ? costUsd : null
      const outcome = Object.hasOwn(outcomes, chosen.model) ? outcomes[chosen.model] : undefined
      result.costUsd += charged ?? chosen.costUsd ?? 0
      result.charged += charged === null ? 0 : 1
      result.quality += outcome?.score ?? chosen.quality
      result[outcome === undefined ? 'predicted' : outcome.by === 'rating' ? 'rated' : 'checked']++
      result.seconds += chosen.seconds
      result.models[chosen.model] = (result.models[chosen.model] ?? 0) + 1
    },
    result(): ReplayResult {
      const served = Math.max(1, result.requests - result.unserved)
      return {
        ...result,
        quality: result.quality / served,
        seconds: result.seconds / served,
      }
    },
  }
}

/** What happened: the model that answered, where it is among the candidates, else the one that was chosen first. */
export const asItWas: Choose = ({ candidates }, answered) =>
  candidates.find(({ model }) => model === answered) ?? candidates[0]

/** Decides `record` again under `policy`. A request for a named model stays what it was. */
export function decideAgain(record: DecisionRecord, base: Policy, policy: ReplayPolicy): Candidate | undefined {
  const { criteria, candidates, reason, chance } = record
  if (criteria === null) return undefined
  if (reason === 'explicit') return candidates[0]
  const merged: Policy = { ...base, ...policy }
  const affordable = candidates.filter(
    ({ step, costUsd }) =>
      (policy.localOnly !== true || step === 'local') &&
      (!merged.freeOnly || step !== 'paid') &&
      (policy.maxCostUsd === undefined || (costUsd ?? Infinity) <= policy.maxCostUsd),
  )
  // Ranking writes into what it ranks, and several policies look at this record.
  const copies = affordable.map(candidate => ({ ...candidate }))
  const qualityFloor =
    policy.minQuality ??
    (policy.qualityThreshold === undefined || record.options.minQuality !== undefined
      ? criteria.qualityFloor
      : policy.qualityThreshold)
  const ranking = rank(
    copies,
    { ...criteria, qualityFloor, priority: policy.priority ?? criteria.priority },
    merged,
    chance,
  )
  return begun(
    ranking.order.map(place => copies[place]!),
    new Set(record.cascade?.skipped.map(({ model }) => model)),
  )
}

/** The model a cascade starts with: those whose answers failed its checks too often are skipped again. */
function begun(ranked: readonly Candidate[], skipped: ReadonlySet<string>): Candidate | undefined {
  let here = ranked[0]
  while (here !== undefined && skipped.has(here.model)) {
    const than = here
    const next = ranked.find(other => isAlike(other, than) && isBetter(other, than))
    if (next === undefined) break
    here = next
  }
  return here
}

/** Always the same model, where it was in question. A request for a named model stays what it was. */
export function always(model: string): Choose {
  return ({ candidates, reason }) =>
    reason === 'explicit' ? candidates[0] : candidates.find(candidate => candidate.model === model)
}
