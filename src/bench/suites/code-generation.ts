import { passesCases, solutionFrom, type Case, type CodeLanguage } from './code.ts'
import { prompt, text, type Difficulty, type Task } from './suite.ts'

/** A compact task: what to write, hidden tests, an answer that passes them and one that nearly does. */
export interface Exercise {
  name: string
  difficulty: Difficulty
  /** The function or class that the tests use. */
  entry: string
  /** The task, edge cases included: hidden tests check nothing beyond this. */
  wanted: string
  cases: readonly Case[]
  reference: string
  wrong: string
}

const asked: Readonly<Record<CodeLanguage, string>> = {
  javascript:
    'Write it in JavaScript (TypeScript is fine too), without imports. Reply with the code in one fenced block.',
  python: 'Write it in Python 3 with nothing but the standard library. Reply with the code in one fenced block.',
}

/** Converts exercises to the tasks of a suite. */
export function codeTasks(suite: string, language: CodeLanguage, exercises: readonly Exercise[]): Task[] {
  return exercises.map(({ name, difficulty, entry, wanted, cases, reference, wrong }) => ({
    id: `${suite}/${name}`,
    difficulty,
    ask: prompt(`${wanted.trim()}\n\n${asked[language]}`),
    check: (reply, sandbox, signal) =>
      passesCases(solutionFrom(reply, language, entry), language, cases, sandbox, signal),
    reference: fenced(language, reference),
    wrong: fenced(language, wrong),
  }))
}

/** Code formatted as a model would return it. */
export function fenced(language: string, code: string) {
  return text(`\`\`\`${language}\n${code.trim()}\n\`\`\``)
}
