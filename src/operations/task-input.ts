import { z } from 'zod'
import type { TaskSpec } from '../tasks/model-task.ts'

/** What every operation about a task is told of it. */
export const taskInput = {
  task: z.string().min(1).describe('The whole task, so that a model which knows nothing else can do it.'),
  context_length: z.int().min(0).describe('Tokens of context that the task needs; 0 when the text says all.'),
  expected_output_length: z.int().min(0).optional().describe('Tokens that the answer may have.'),
  complexity: z.number().min(0).max(1).optional().describe('0 is trivial, 1 is as hard as it gets.'),
  priority: z
    .enum(['cost', 'quality', 'speed'])
    .optional()
    .describe('What counts most. Without it: quality for complexity from 0.7, else cost.'),
  validate: z
    .array(z.string())
    .optional()
    .describe(
      'Checks the answer must pass, or a better model does the task again: all, not_empty, not_truncated, not_refusal, not_loop, tests:<name>, judge:<model>.',
    ),
} as const
const TaskInput = z.object(taskInput)

/** The part of an operation's input that describes the task. */
export function specOf(input: z.output<typeof TaskInput>): TaskSpec {
  return TaskInput.parse(input)
}

/** The fields of a list's page. */
export const pageInput = {
  page: z.int().min(1).default(1),
  page_size: z.int().min(1).max(200).default(20),
} as const

export function pageOf({ page, page_size: limit }: { page: number; page_size: number }) {
  return { limit, offset: (page - 1) * limit }
}
