import { expectedRate } from './success.ts'
import type { TaskKind } from './task-kinds.ts'
import type { KindFacts, Weights } from './weights.ts'

/** Mean ability in log odds that texts of no measured kind are compared with. */
const usualAbility = 0

/**
 * Kinds of work for which there are no public outcomes: their difficulty in log odds, on the scale of the weights, and the
 * usual length of an answer in tokens are judgements, not measurements. Naming a conversation asks for nearly nothing;
 * planning a change in a code base about as much as fixing a bug.
 */
const judged: Partial<Record<TaskKind, { difficulty: number; outputTokens: number }>> = {
  title: { difficulty: -1.5, outputTokens: 15 },
  summary: { difficulty: -0.5, outputTokens: 350 },
  translation: { difficulty: -0.4, outputTokens: 120 },
  extraction: { difficulty: -0.1, outputTokens: 150 },
  agent_tool_result: { difficulty: 0.1, outputTokens: 180 },
  agent_edit: { difficulty: 0.7, outputTokens: 500 },
  agent_plan: { difficulty: 1, outputTokens: 900 },
}

const judgedFacts: Readonly<Record<string, KindFacts>> = Object.fromEntries(
  Object.entries(judged).map(([kind, { difficulty, outputTokens }]) => [
    kind,
    { rate: expectedRate(usualAbility, difficulty), difficulty, ability: usualAbility, outputTokens },
  ]),
)

/** Usual answers of kinds whose tables do not tell their length. */
const judgedOutput: Readonly<Partial<Record<string, number>>> = {
  chat: 60,
  facts: 60,
  common_sense: 150,
  arithmetic: 250,
  school_science: 300,
  programming: 400,
  function_completion: 300,
  knowledge: 500,
  science: 800,
  math: 1000,
  logic: 1000,
} satisfies Partial<Record<TaskKind, number>>

/** What is usual for a kind of task: as measured where it was, else as judged; undefined for a kind nobody knows. */
export function kindFactsOf(weights: Weights | undefined, kind: string): KindFacts | undefined {
  const measured = weights?.kinds[kind]
  if (measured === undefined) return judgedFacts[kind]
  const outputTokens = measured.outputTokens ?? judgedOutput[kind]
  return outputTokens === undefined ? measured : { ...measured, outputTokens }
}
