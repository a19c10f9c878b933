import { calibration, type Calibration } from './calibration.ts'
import { pairedDifference, type PairedDifference } from './evidence.ts'
import { leaderboard, type LeaderboardRow } from './leaderboard.ts'
import { candidateKey, type BenchmarkResult } from './results.ts'

/** A leaderboard row against the one below it, on the tasks that both were given. */
export interface Lead extends PairedDifference {
  ahead: LeaderboardRow
  behind: LeaderboardRow
}

export interface CategoryCalibration extends Calibration {
  /** A suite's name, or `all`. */
  category: string
  /** Mean prediction, and the share that passed. */
  predicted: number
  passed: number
}

/** Everything that results say. */
export interface Report {
  leaders: LeaderboardRow[]
  leads: Lead[]
  /** Of items whose outcome the router foretold; the last is `all`. Empty where it was not asked. */
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
  const foretold = results.flatMap(({ suite, predicted, passed }) =>
    predicted === null ? [] : [{ suite, predicted, passed }],
  )
  if (foretold.length === 0) return []
  const groups = [...Map.groupBy(foretold, ({ suite }) => suite), ['all', foretold] as const]
  return groups.map(([category, items]) => ({
    category,
    predicted: items.reduce((sum, { predicted }) => sum + predicted, 0) / items.length,
    passed: items.filter(({ passed }) => passed).length / items.length,
    ...calibration(items),
  }))
}
