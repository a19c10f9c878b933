import { openCage, type Cage } from './cage.ts'
import { findWalls, type Walls } from './walls.ts'

/** Untrusted code, and the cases to evaluate once it has loaded. */
export interface Program {
  /** The generated code: an ES module (JavaScript or TypeScript), a Python module, or nothing at all. */
  source: string
  /** Expressions (or statements; the last value counts), evaluated in order in the scope of the code; each value becomes JSON. */
  cases: readonly string[]
  /** Limit of processor time for the whole program; three seconds by default. */
  timeLimitMs?: number
}

/** SQL to run on a fresh in-memory database. */
export interface Query {
  /** Trusted: creates and fills the tables. */
  setup: string
  /** The generated SQL; several statements may be separated by semicolons. */
  source: string
  /** Trusted: what to read afterwards. Without it the rows of the last generated statement are the outcome. */
  inspect?: string
  timeLimitMs?: number
}

/** The outcome of one case: its value, or the error it raised as `Name: message`. */
export type Outcome = { value: unknown; error?: never } | { error: string; value?: never }

/** The outcome of a program. With `failure` it did not load, ran out of time or memory, or ended its process. */
export interface Run {
  outcomes: Outcome[]
  failure?: string
}

/** Runs generated code isolated from the host: no files, no network, no environment, bounded time and memory. */
export interface Sandbox {
  javascript: (program: Program, signal?: AbortSignal) => Promise<Run>
  python: (program: Program, signal?: AbortSignal) => Promise<Run>
  sql: (query: Query, signal?: AbortSignal) => Promise<Run>
  /** The isolation in addition to WebAssembly on this system. */
  walls: () => Promise<Walls>
  close: () => Promise<void>
}

const defaultTimeLimitMs = 3_000

/**
 * A sandbox whose parts start on first use. Every language runs as WebAssembly, in a fresh engine for every program, inside
 * a child process that Node and the system isolate; see `cage.ts`, `cell.ts` and `walls.ts`.
 */
export function openSandbox(): Sandbox {
  let found: Promise<Walls> | undefined
  const walls = () => (found ??= findWalls())
  const javascript = openCage<Run>({
    cell: 'javascript-cell',
    packages: ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync'],
    heapMegabytes: 256,
    processMegabytes: 1_024,
    walls,
  })
  const python = openCage<Run>({
    cell: 'python-cell',
    packages: ['pyodide'],
    heapMegabytes: 512,
    processMegabytes: 2_048,
    walls,
  })
  return {
    javascript: (program, signal) => run(javascript, program, signal),
    python: (program, signal) => run(python, { ...program, kind: 'python' }, signal),
    sql: (query, signal) => run(python, { ...query, kind: 'sql' }, signal),
    walls,
    close: async () => {
      await Promise.all([javascript.close(), python.close()])
    },
  }
}

async function run(
  cage: Cage<Run>,
  request: { timeLimitMs?: number; kind?: 'python' | 'sql' },
  signal: AbortSignal | undefined,
): Promise<Run> {
  const timeLimitMs = request.timeLimitMs ?? defaultTimeLimitMs
  const answer = await cage.ask({ ...request, timeLimitMs }, signal)
  return 'failure' in answer ? { outcomes: [], failure: answer.failure } : answer.reply
}
