import type { Policy } from '../policy.ts'
import type { DecisionRecord } from '../record.ts'
import { rank, type Standing } from '../rank.ts'
import type { Priority } from '../select.ts'

/** A stored decision beside what came of it. */
export interface ReplayRow {
  decision: DecisionRecord
  /** The model that answered in the end; null when nobody did. */
  model: string | null
  /** USD that was charged. */
  costUsd: number | null
  /** 0..1, where somebody or something judged the answer. */
  score: number | null
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
  /** USD in all. Charged where the same model answered, expected elsewhere. */
  costUsd: number
  /** Mean quality of the served: judged where the same model answered, predicted elsewhere. */
  quality: number
  /** Share of requests whose quality was judged, 0..1. */
  judged: number
  seconds: number
  /** Requests per model. */
  models: Record<string, number>
}

/** One policy over stored decisions, read once: add each row, then ask for the result. */
export function createReplay(name: string, choose: (record: DecisionRecord) => Standing | undefined) {
  const result: ReplayResult = {
    name,
    requests: 0,
    unserved: 0,
    costUsd: 0,
    quality: 0,
    judged: 0,
    seconds: 0,
    models: {},
  }
  return {
    add({ decision, model, costUsd, score }: ReplayRow): void {
      result.requests++
      const chosen = choose(decision)
      if (chosen === undefined) {
        result.unserved++
        return
      }
      const same = chosen.model === model
      result.costUsd += (same ? costUsd : undefined) ?? chosen.costUsd ?? 0
      result.quality += (same ? score : undefined) ?? chosen.quality
      result.judged += same && score !== null ? 1 : 0
      result.seconds += chosen.seconds
      result.models[chosen.model] = (result.models[chosen.model] ?? 0) + 1
    },
    result(): ReplayResult {
      const served = Math.max(1, result.requests - result.unserved)
      return {
        ...result,
        quality: result.quality / served,
        judged: result.judged / served,
        seconds: result.seconds / served,
      }
    },
  }
}

/** Decides `record` again under `policy`. A request for a named model stays what it was. */
export function decideAgain(record: DecisionRecord, base: Policy, policy: ReplayPolicy): Standing | undefined {
  const { terms, standings, reason, chance } = record
  if (terms === null) return undefined
  if (reason === 'explicit') return standings[0]
  const merged: Policy = { ...base, ...policy }
  const affordable = standings.filter(
    ({ step, costUsd }) =>
      (policy.localOnly !== true || step === 'local') &&
      (!merged.freeOnly || step !== 'paid') &&
      (policy.maxCostUsd === undefined || (costUsd ?? Infinity) <= policy.maxCostUsd),
  )
  // Ranking writes into what it ranks, and several policies look at this record.
  const copies = affordable.map(standing => ({ ...standing }))
  const qualityFloor =
    policy.minQuality ??
    (policy.qualityThreshold === undefined || record.options.minQuality !== undefined
      ? terms.qualityFloor
      : policy.qualityThreshold)
  const ranking = rank(copies, { ...terms, qualityFloor, priority: policy.priority ?? terms.priority }, merged, chance)
  return copies[ranking.order[0] ?? -1]
}

/** Always the same model, where it was in question. */
export function always(model: string): (record: DecisionRecord) => Standing | undefined {
  return record => record.standings.find(standing => standing.model === model)
}
