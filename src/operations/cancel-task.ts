import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'
import { requireTask } from './own-task.ts'
import { TaskStatus, taskStatus } from './task-view.ts'

export const cancelTask = operation({
  name: 'cancel_task',
  summary: 'Cancels a queued or running task; its model stops at once. A finished task is unchanged.',
  effect: 'write',
  core: true,
  http: { method: 'POST', path: '/api/tasks/:task_id/cancel' },
  input: z.strictObject({ task_id: z.string() }),
  output: z.object({ cancelled_jobs: z.array(z.string()), task: TaskStatus }),
  run: (core: Core, { task_id }, { principal }) => {
    const { tasks } = core
    requireTask(core, task_id, principal)
    return { cancelled_jobs: tasks.cancel(task_id), task: taskStatus(tasks.view(task_id), tasks.active()) }
  },
})
