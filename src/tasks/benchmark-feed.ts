import type { Logger } from 'pino'
import type { BenchmarkResult } from '../bench/results.ts'
import { betterStrategies, type BetterStrategies } from './prompting.ts'
import { benchmarkFacts, type BenchmarkFact } from './benchmark-evidence.ts'

/** Passes benchmark results to the router: at the start, after a benchmark, and when another process wrote results. */
export interface BenchmarkFeed {
  /** Reads the results again. */
  feed: () => void
  isBetter: BetterStrategies
  close: () => void
}

export interface BenchmarkFeedParts {
  /** Undefined while nothing was ever measured. `version` changes when another process has written. */
  results: () => { version: () => number; results: () => BenchmarkResult[] } | undefined
  learn: (fact: BenchmarkFact) => void
  log: Pick<Logger, 'error'>
}

/** `npm run benchmark` writes from a process of its own; checking through SQLite costs microseconds. */
const lookEveryMs = 2_000

export function createBenchmarkFeed({ results, learn, log }: BenchmarkFeedParts): BenchmarkFeed {
  let seen: number | undefined
  let better = betterStrategies([])

  function feed(): void {
    const all = results()?.results() ?? []
    for (const fact of benchmarkFacts(all)) learn(fact)
    better = betterStrategies(all)
  }

  function look(): void {
    try {
      const version = results()?.version()
      if (version === seen) return
      feed()
      seen = version
    } catch (err) {
      // A damaged results file must not keep a request from being answered.
      log.error({ err }, 'cannot read the benchmark results')
    }
  }

  look()
  const timer = setInterval(look, lookEveryMs).unref()
  return {
    feed,
    isBetter: (...of) => better(...of),
    close: () => {
      clearInterval(timer)
    },
  }
}
