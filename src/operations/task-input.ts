import { z } from 'zod'
import type { TaskSpec } from '../tasks/model-task.ts'

/** The input that all task operations share. */
export const taskInput = {
  task: z.string().min(1).describe('The complete task, self-contained for a model without other context.'),
  context_length: z.int().min(0).describe('Tokens of context that the task needs; 0 when the text is complete.'),
  expected_output_length: z.int().min(0).optional().describe('Maximum tokens of the answer.'),
  complexity: z.number().min(0).max(1).optional().describe('0 is trivial, 1 is the hardest.'),
  priority: z
    .enum(['cost', 'quality', 'speed'])
    .optional()
    .describe('What matters most. Default: quality for complexity from 0.7, else cost.'),
  validate: z
    .array(z.string())
    .optional()
    .describe(
      'Checks that the answer must pass, or a better model repeats the task: all, not_empty, not_truncated, not_refusal, not_loop, tests:<name>, judge:<model>.',
    ),
} as const
const TaskInput = z.object(taskInput)

/** The part of an operation's input that describes the task. */
export function specOf(input: z.output<typeof TaskInput>): TaskSpec {
  return TaskInput.parse(input)
}

/** The paging fields of a list. */
export const pageInput = {
  page: z.int().min(1).default(1),
  page_size: z.int().min(1).max(200).default(20),
} as const

export function pageOf({ page, page_size: limit }: { page: number; page_size: number }) {
  return { limit, offset: (page - 1) * limit }
}
