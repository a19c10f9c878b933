import { GatewayError } from '../errors.ts'
import type { JobRow, TaskRow, TaskStore } from '../ledger/tasks.ts'
import type { JobQueues } from './job-queues.ts'
import type { JobProgress } from './task-handler.ts'

export interface JobView {
  job: JobRow
  /** 1 for the job of its queue that starts next; 0 when it is running or finished. */
  position: number
  progress: JobProgress | undefined
}

/** A task in its current state, with its current run. */
export interface TaskView extends JobView {
  task: TaskRow
  /** Number of runs, the current one included. */
  runs: number
  /** Estimated milliseconds until it finishes; undefined without data on such tasks. */
  etaMs: number | undefined
}

interface ViewParts {
  store: TaskStore
  queues: JobQueues
  progress: ReadonlyMap<string, JobProgress>
  limitOf: (queue: string) => number
  /** The queue of a job of a kind that was submitted for a provider. */
  queueOf: (kind: string, provider: string | null) => string
  now: () => number
}

/** Tasks and jobs as they are now. Both functions throw `not_found`. */
export function createTaskViews({ store, queues, progress, limitOf, queueOf, now }: ViewParts) {
  function jobView(job: JobRow): JobView {
    const position = queues.position({ jobId: job.id, queue: queueOf(job.kind, job.provider) })
    return { job, position, progress: progress.get(job.id) }
  }

  function etaOf(job: JobRow, position: number): number | undefined {
    if (job.finishedAt !== null || job.provider === null) return undefined
    const each = store.typicalMs(job.kind, job.provider)
    if (each === undefined) return undefined
    const rounds = Math.ceil(position / Math.max(1, limitOf(queueOf(job.kind, job.provider))))
    const own = job.startedAt === null ? each : Math.max(0, each - (now() - job.startedAt))
    return Math.round(rounds * each + own)
  }

  return {
    task: (taskId: string): TaskView => {
      const task = store.task(taskId)
      const jobs = store.jobsOf(taskId)
      const job = jobs.at(-1)
      if (task === undefined || job === undefined) throw unknownTask(taskId)
      const view = jobView(job)
      return { task, ...view, runs: jobs.length, etaMs: etaOf(job, view.position) }
    },
    job: (jobId: string): JobView => {
      const job = store.job(jobId)
      if (job === undefined) throw unknownJob(jobId)
      return jobView(job)
    },
  }
}

export function unknownTask(taskId: string): GatewayError {
  return new GatewayError('not_found', `Unknown task: ${taskId.slice(0, 100)}.`, { param: 'task_id' })
}

export function unknownJob(jobId: string): GatewayError {
  return new GatewayError('not_found', `Unknown job: ${jobId.slice(0, 100)}.`, { param: 'job_id' })
}
