/**
 * The kinds of tasks that the router tells apart: what it learns and predicts quality by, what benchmarks speak about, and
 * what a caller's tag may name. A new kind is added here.
 */
export const taskKinds = [
  'chat',
  'other',
  'writing',
  'knowledge',
  'facts',
  'common_sense',
  'science',
  'school_science',
  'logic',
  'math',
  'arithmetic',
  'programming',
  'function_completion',
  'code_generation',
  'code_completion',
  'code_refactoring',
  'code_understanding',
  'bug_fixing',
  'test_generation',
  'data_science',
  'algorithm',
  'multi_language',
  'translation',
  'summary',
  'title',
  'extraction',
  'agent_plan',
  'agent_edit',
  'agent_tool_result',
] as const
export type TaskKind = (typeof taskKinds)[number]
