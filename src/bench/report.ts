import { calibration, type Calibration } from './calibration.ts'
import { pairedDifference, type PairedDifference } from './evidence.ts'
import { leaderboard, type LeaderboardRow } from './leaderboard.ts'
import { candidateKey, type BenchmarkResult } from './results.ts'

/** A leaderboard row compared with the next one, on the tasks given to both. */
export interface Lead extends PairedDifference {
  ahead: LeaderboardRow
  behind: LeaderboardRow
}

export interface CategoryCalibration extends Calibration {
  /** A suite's name, or `all`. */
  category: string
  /** Mean prediction, and the pass rate. */
  predicted: number
  passed: number
}

/** All findings of the results. */
export interface Report {
  leaders: LeaderboardRow[]
  leads: Lead[]
  /** Over items with a router prediction; the last is `all`. Empty without predictions. */
  calibration: CategoryCalibration[]
}

/**
 * @param results of the current weights and suite versions only
 * @param random uniform numbers in [0, 1), for the bootstrap
 */
export function reportOf(results: readonly BenchmarkResult[], random: () => number): Report {
  const leaders = leaderboard(results)
  const byCandidate = Map.groupBy(results, candidateKey)
  const of = (leader: LeaderboardRow) => byCandidate.get(candidateKey(leader)) ?? []
  const leads = leaders.slice(1).map((behind, index) => {
    const ahead = leaders[index]!
    return { ahead, behind, ...pairedDifference(of(ahead), of(behind), random) }
  })
  return { leaders, leads, calibration: calibrations(results) }
}

function calibrations(results: readonly BenchmarkResult[]): CategoryCalibration[] {
  const predictions = results.flatMap(({ suite, predicted, passed }) =>
    predicted === null ? [] : [{ suite, predicted, passed }],
  )
  if (predictions.length === 0) return []
  const groups = [...Map.groupBy(predictions, ({ suite }) => suite), ['all', predictions] as const]
  return groups.map(([category, items]) => ({
    category,
    predicted: items.reduce((sum, { predicted }) => sum + predicted, 0) / items.length,
    passed: items.filter(({ passed }) => passed).length / items.length,
    ...calibration(items),
  }))
}
