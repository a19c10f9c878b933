import { codeFrom } from '../extract.ts'
import type { Outcome, Run, Sandbox } from '../sandbox/sandbox.ts'
import { verdict, type TaskReply, type TaskVerdict } from './suite.ts'

export type CodeLanguage = 'javascript' | 'python'

/** A hidden test: an expression evaluated with the answer's code, and its value as JSON, or the error it must raise. */
export type Case = readonly [code: string, expected: unknown] | readonly [code: string, expected: unknown, why: string]

/** An expected value that matches any error, or the named one. */
export class Raises {
  readonly name: string | undefined
  constructor(name?: string) {
    this.name = name
  }
}

const fenceNames: Readonly<Record<CodeLanguage, readonly string[]>> = {
  javascript: ['javascript', 'js', 'jsx', 'mjs', 'node', 'typescript', 'ts', 'tsx'],
  python: ['python', 'py', 'python3'],
}

/** The reply's code that defines `name`. */
export function solutionFrom(reply: TaskReply, language: CodeLanguage, name: string): string {
  const defines =
    language === 'python'
      ? `(?:def|class)\\s+${name}\\b|^${name}\\s*=`
      : `(?:function\\*?|class|const|let|var)\\s+${name}\\b`
  return codeFrom(reply.content ?? '', fenceNames[language], new RegExp(defines, 'm'))
}

/**
 * Runs hidden tests. The expected values stay outside: code in the sandbox can neither read nor forge them, and an
 * object that claims to equal everything arrives as plain data.
 */
export async function passesCases(
  source: string,
  language: CodeLanguage,
  cases: readonly Case[],
  sandbox: Sandbox,
  signal?: AbortSignal,
): Promise<TaskVerdict> {
  if (source.trim() === '') return verdict('the reply contains no code')
  const run = await sandbox[language]({ source, cases: cases.map(([code]) => code) }, signal)
  return verdict(run.failure ?? firstProblem(run, cases))
}

function firstProblem(run: Run, cases: readonly Case[]): string | undefined {
  for (const [index, [code, expected, why]] of cases.entries()) {
    const outcome = run.outcomes[index]
    if (outcome !== undefined && meets(outcome, expected)) continue
    const got = outcome === undefined ? 'nothing' : (outcome.error ?? JSON.stringify(outcome.value))
    const wanted = expected instanceof Raises ? (expected.name ?? 'an error') : JSON.stringify(expected)
    return `${why ?? code.slice(0, 120)}: expected ${wanted}, got ${got.slice(0, 200)}`
  }
  return undefined
}

function meets(outcome: Outcome, expected: unknown): boolean {
  if (expected instanceof Raises) {
    return outcome.error !== undefined && (expected.name === undefined || outcome.error.startsWith(`${expected.name}:`))
  }
  return outcome.error === undefined && same(outcome.value, expected)
}

/** Equality of plain data; numbers may differ by rounding, keys may be in any order. */
export function same(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return (a ?? null) === (b ?? null)
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [Object.entries(a), Object.entries(b)]
  return (
    left.length === right.length &&
    left.every(([key, value]) => Object.hasOwn(b, key) && same(value, Reflect.get(b, key)))
  )
}
