import type { Logger } from 'pino'
import type { Result } from '../bench/results.ts'
import { benchmarkFacts, type BenchmarkFact } from './benchmark-evidence.ts'

/** Brings what was measured to the router: at the start, after a benchmark, and when another process measured. */
export interface BenchmarkFeed {
  /** Reads the results again. */
  feed: () => void
  close: () => void
}

export interface BenchmarkFeedParts {
  /** Undefined while nothing was ever measured. `version` changes when another process has written. */
  results: () => { version: () => number; results: () => Result[] } | undefined
  learn: (fact: BenchmarkFact) => void
  log: Pick<Logger, 'error'>
}

/** `npm run benchmark` writes from a process of its own; asking SQLite whether it did costs microseconds. */
const lookEveryMs = 2_000

export function createBenchmarkFeed({ results, learn, log }: BenchmarkFeedParts): BenchmarkFeed {
  let seen: number | undefined

  function feed(): void {
    for (const fact of benchmarkFacts(results()?.results() ?? [])) learn(fact)
  }

  function look(): void {
    try {
      const version = results()?.version()
      if (version === seen) return
      feed()
      seen = version
    } catch (err) {
      // A damaged file of results must not keep anybody from an answer.
      log.error({ err }, 'the results of benchmarks cannot be read')
    }
  }

  look()
  const timer = setInterval(look, lookEveryMs).unref()
  return {
    feed,
    close: () => {
      clearInterval(timer)
    },
  }
}
