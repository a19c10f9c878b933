import { z } from 'zod'
import type { Core } from '../core.ts'
import type { TaskView } from '../tasks/task-views.ts'
import { operation } from './operation.ts'
import { requireTask } from './own-task.ts'
import { TaskStatus, taskStatus } from './task-view.ts'

export const getTaskStatus = operation({
  name: 'get_task_status',
  summary: 'Status, progress and result of a task. With wait_seconds it waits for the task to finish, so do not poll.',
  effect: 'read',
  core: true,
  http: { method: 'GET', path: '/api/tasks/:task_id' },
  card: 'task',
  input: z.strictObject({
    task_id: z.string(),
    wait_seconds: z.number().min(0).max(600).default(0).describe('Maximum time to wait for the task to finish.'),
  }),
  output: TaskStatus,
  run: async (core: Core, { task_id, wait_seconds }, { signal, progress, principal }) => {
    const { tasks } = core
    requireTask(core, task_id, principal)
    let updates = 0
    const onChange = (view: TaskView) => {
      updates += 1
      progress({ progress: updates, message: describe(view) })
    }
    const view = await tasks.wait(task_id, wait_seconds * 1000, signal, onChange)
    return taskStatus(view, tasks.active())
  },
})

function describe({ task, position, progress }: TaskView): string {
  if (progress !== undefined) return progress.message
  return position > 0 ? `${task.state}, position ${position} in the queue` : task.state
}
