import type { Core } from '../core.ts'
import type { JobRow } from '../ledger/tasks.ts'
import type { JobProgress } from '../tasks/task-handler.ts'
import { unknownJob, unknownTask, type TaskView } from '../tasks/task-views.ts'
import { mayReach } from './access.ts'
import type { Principal } from './operation.ts'

/** The current state of a task. Throws `not_found` for an unknown one and for one of another API key alike. */
export function requireTask({ tasks }: Core, taskId: string, principal: Principal): TaskView {
  const view = tasks.view(taskId)
  if (!mayReach(principal, view.task.askedBy)) throw unknownTask(taskId)
  return view
}

/** The same for a job. */
export function requireJob(
  { tasks }: Core,
  jobId: string,
  principal: Principal,
): { job: JobRow; position: number; progress: JobProgress | undefined } {
  const found = tasks.job(jobId)
  if (!mayReach(principal, found.job.askedBy)) throw unknownJob(jobId)
  return found
}
