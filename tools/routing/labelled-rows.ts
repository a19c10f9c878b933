import { canonicalName } from '../../src/router/model-identity.ts'
import type { TaskKind } from '../../src/router/task-kinds.ts'
import type { OutcomeRow } from './outcomes.ts'

/** The tables to learn from; an absent one is simply not learned from. */
export interface TrainingTables {
  mmlu?: readonly OutcomeRow[] | undefined
  gsm8k?: readonly OutcomeRow[] | undefined
  local9?: readonly OutcomeRow[] | undefined
  coding8?: readonly OutcomeRow[] | undefined
}

/** One prompt with its kind of task and what each model scored, by canonical name. */
export interface LabelledRow {
  kind: string
  prompt?: string | undefined
  /** A finer group whose mean score says more than one answer does. */
  group?: string | undefined
  outcomes: readonly { model: string; score: number; tokens?: number | undefined }[]
}

/** The kinds of task by the categories of `local9`. */
const kindOf: Readonly<Record<string, TaskKind>> = {
  math: 'math',
  gsm8k: 'arithmetic',
  'agentverse-mgsm': 'arithmetic',
  gpqa: 'science',
  commonsense_qa: 'common_sense',
  arc_challenge: 'school_science',
  openbook_qa: 'school_science',
  natural_qa: 'facts',
  trivia_qa: 'facts',
  mmlu: 'knowledge',
  'agentverse-logicgrid': 'logic',
  commongen: 'writing',
  human_eval: 'function_completion',
  mbpp: 'programming',
}

/** All rows of all tables in one form; rows of unassigned categories are left out. */
export function labelledRows({ mmlu = [], gsm8k = [], local9 = [], coding8 = [] }: TrainingTables): LabelledRow[] {
  return [
    ...mmlu.map(row => labelled(row, 'knowledge')),
    ...gsm8k.map(row => labelled(row, 'arithmetic')),
    ...local9.flatMap(row => labelled(row, kindOf[row.category ?? '']) ?? []),
    ...coding8.map(row => labelled(row, row.category ?? 'code_generation')),
  ].filter(row => row !== undefined)
}

/** The kind of task of a row of `local9`; undefined where its category is not assigned to one. */
export function kindOfCategory(category: string): string | undefined {
  return kindOf[category]
}

function labelled({ prompt, group, outcomes }: OutcomeRow, kind: string | undefined): LabelledRow | undefined {
  if (kind === undefined) return undefined
  return {
    kind,
    prompt,
    group,
    outcomes: Object.entries(outcomes).map(([name, { score, tokens }]) => ({
      model: canonicalName(name),
      score,
      tokens,
    })),
  }
}
