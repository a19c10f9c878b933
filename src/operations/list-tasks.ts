import { z } from 'zod'
import type { Core } from '../core.ts'
import { taskStates } from '../ledger/tasks.ts'
import { ownerShownTo } from './access.ts'
import { operation } from './operation.ts'
import { pageInput, pageOf } from './task-input.ts'
import { TaskStatus, taskStatus } from './task-view.ts'

export const listTasks = operation({
  name: 'list_tasks',
  summary: 'Your recent tasks, newest first, filtered by status, provider, model or text.',
  effect: 'read',
  http: { method: 'GET', path: '/api/tasks' },
  input: z.strictObject({
    status: z.enum(taskStates).optional(),
    provider: z.string().optional(),
    model: z.string().optional(),
    q: z.string().optional().describe('A substring of the task’s text.'),
    ...pageInput,
  }),
  output: z.object({
    tasks: z.array(TaskStatus.extend({ task: z.string().describe('Its text, truncated to 200 characters.') })),
    total: z.int(),
    page: z.int(),
    page_size: z.int(),
  }),
  run: ({ tasks, ledger }: Core, { status, q, provider, model, page, page_size }, { principal }) => {
    const filter = { askedBy: ownerShownTo(principal), state: status, provider, model, text: q }
    const found = ledger.tasks.tasks(filter, pageOf({ page, page_size }))
    return {
      tasks: found.tasks.map(task => ({ ...taskStatus(tasks.view(task.id), tasks.active()), task: textOf(task.spec) })),
      total: found.total,
      page,
      page_size,
    }
  },
})

const TextSpec = z.object({ task: z.string() })

function textOf(spec: unknown): string {
  return (TextSpec.safeParse(spec).data?.task ?? '').slice(0, 200)
}
