import { taskKinds, type TaskKind } from './task-kinds.ts'
import { smallTalk, unknownCategory } from './text/judge.ts'

/**
 * Kinds of coding work for which public outcomes exist without texts: they cannot be learned from words, so that they are
 * distinguished by what people call them. The first that matches wins.
 */
const codingKinds: readonly (readonly [kind: TaskKind, pattern: RegExp])[] = [
  ['test_generation', /\b(unit tests?|write (?:some )?tests?|test cases?|tests? for)\b/i],
  ['bug_fixing', /\b(fix|bug|debug|broken|crash(?:es)?|fails?|error|exception|traceback|not work(?:ing)?)\b/i],
  ['code_refactoring', /\b(refactor|clean ?up|rewrite|simplify|rename|restructure|modernize)\b/i],
  ['code_understanding', /\b(explain|what does|how does|understand|describe|walk me through|review)\b/i],
  ['data_science', /\b(pandas|numpy|dataframe|matplotlib|sklearn|scikit|plot|csv|jupyter)\b/i],
  ['code_completion', /\b(complete|completion|fill in|continue|finish the)\b/i],
  [
    'multi_language',
    /\b(translate|port|convert) .{0,60}\b(to|into) (?:c\+\+|c#|go|rust|java|kotlin|swift|typescript|python|ruby)\b/i,
  ],
  ['algorithm', /\b(algorithm|complexity|leetcode|dynamic programming|binary tree|graph|shortest path)\b/i],
]
const plainCoding: TaskKind = 'code_generation'
/** Short exercises, which the text model knows; their share is assigned to the kinds above. */
const exercises: readonly string[] = ['programming', 'function_completion'] satisfies TaskKind[]
/** A text so likely an exercise is one, whatever its words are called. */
const surelyExercise = 0.8

const looksLikeCode = /```|^\s*(?:def|class|function|import|const|let|var|public|#include|fn|func)\b|[{};]\s*$/m
const mentionsCode =
  /\b(code|function|class|method|script|api|endpoint|typescript|javascript|python|rust|java|sql|regex|component|repository|commit|compile|refactor|unit tests?)\b/i
const readCharacters = 4096
const surelyOther = 0.8
/** The minimum share of coding where a text looks like code, mentions it, or both. */
const shareByEvidence = [0, 0.4, 0.6, 0.9] as const

/** The judged kinds, with coding work subdivided. */
export function workKinds(text: string, judged: Readonly<Record<string, number>>): Record<string, number> {
  const start = text.slice(0, readCharacters)
  const evidence = (looksLikeCode.test(start) ? 2 : 0) + (mentionsCode.test(start) ? 1 : 0)
  const exercise = exercises.reduce((sum, name) => sum + (judged[name] ?? 0), 0)
  if (evidence === 0 || isSurelyOther(judged)) return { ...judged }
  const coding = Math.max(exercise, shareByEvidence[evidence]!)
  const kind = codingKinds.find(([, pattern]) => pattern.test(start))?.[0] ?? plainCoding
  // A self-contained exercise is easier than work of the same kind in a code base.
  const easy = kind === plainCoding || exercise >= surelyExercise ? Math.min(exercise, coding) : 0
  const others = Object.entries(judged).filter(([name]) => !exercises.includes(name))
  const rest = others.reduce((sum, [, share]) => sum + share, 0)
  const left = 1 - coding
  const kinds: Record<string, number> = Object.fromEntries(
    rest === 0 ? [[unknownCategory, left]] : others.map(([name, share]) => [name, (share / rest) * left]),
  )
  for (const name of exercises) if (easy > 0) kinds[name] = (easy * (judged[name] ?? 0)) / exercise
  kinds[kind] = coding - easy
  return Object.fromEntries(Object.entries(kinds).filter(([, share]) => share > 0.001))
}

/** A question that is surely of another kind may speak of classes and methods without being about code. */
function isSurelyOther(judged: Readonly<Record<string, number>>): boolean {
  return Object.entries(judged).some(
    ([name, share]) =>
      share >= surelyOther && !exercises.includes(name) && name !== smallTalk && name !== unknownCategory,
  )
}

/** The kind of task that a caller's tag names: `bug_fixing`, `math`, ... */
export function tagged(tags: readonly string[]): string | undefined {
  return tags.find(tag => knownKinds.has(tag))
}

const knownKinds: ReadonlySet<string> = new Set(taskKinds)
