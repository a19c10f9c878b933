import { evidence } from '../bench/evidence.ts'
import type { BenchmarkResult } from '../bench/results.ts'
import { evidenceKey } from '../router/model-identity.ts'
import { anyCategory, type Benchmark } from '../router/evidence.ts'
import type { TaskKind } from '../router/task-kinds.ts'

/** Benchmark results of one model for one category, in the router's terms. */
export interface BenchmarkFact {
  /** The router's evidence key of the model. */
  model: string
  category: string
  value: Benchmark
}

const programs: readonly TaskKind[] = [
  'programming',
  'code_generation',
  'code_completion',
  'algorithm',
  'multi_language',
]

/** The kinds of work that a suite is an example of. All suites speak of work in general too, and some of that alone. */
export const kindsOfSuite: Readonly<Record<string, readonly TaskKind[]>> = {
  javascript: programs,
  python: [...programs, 'data_science'],
  'bug-fixing': ['bug_fixing', 'code_understanding'],
  editing: ['code_refactoring'],
  'test-writing': ['test_generation', 'code_understanding'],
  sql: ['data_science', 'code_generation'],
  regex: ['code_generation'],
  'tool-calls': [],
  'json-output': [],
  instructions: ['writing', 'chat'],
  'long-context': [],
  reasoning: ['math', 'arithmetic', 'logic', 'common_sense'],
  traps: ['chat'],
}

/**
 * Converts results to evidence for the router. Only default settings count. Weights that have changed since count as
 * another model, so their results get a key that is no longer read.
 */
export function benchmarkFacts(results: readonly BenchmarkResult[]): BenchmarkFact[] {
  const standard = evidence(results).filter(({ settings }) => settings === '{}')
  const models = Map.groupBy(standard, ({ model, weights }) => evidenceKey(model, weights ?? undefined))
  return [...models].flatMap(([model, cells]) => {
    const kinds = Map.groupBy(
      cells.flatMap(cell => kindsOf(cell.category).map(kind => ({ kind, cell }))),
      ({ kind }) => kind,
    )
    return [...kinds].map(([category, members]) => ({
      model,
      category,
      value: together(members.map(({ cell }) => cell)),
    }))
  })
}

/** A suite that is not built in is a file of Python functions. */
function kindsOf(suite: string): string[] {
  return [anyCategory, ...(kindsOfSuite[suite] ?? programs)]
}

function together(cells: readonly { passed: number; total: number; runs: number }[]): Benchmark {
  const tasks = cells.reduce((sum, { total }) => sum + total, 0)
  const passed = cells.reduce((sum, cell) => sum + cell.passed, 0)
  return { score: passed / tasks, runs: Math.max(...cells.map(({ runs }) => runs)), tasks }
}
