import { z } from 'zod'
import { taskStates, type JobRow } from '../ledger/tasks.ts'
import type { JobProgress } from '../tasks/task-handler.ts'
import type { TaskView } from '../tasks/task-views.ts'
import type { Activity } from '../tasks/tasks.ts'
import { BenchmarkOutcome } from '../tasks/benchmark.ts'
import { TaskOutcome } from '../tasks/model-task.ts'

const instant = z.string().nullable()

/** Whether benchmarks hold the slots that a task waits for. */
const Contention = z.object({
  local_slot_contended: z.boolean(),
  active_benchmark_runs: z.int(),
  queued_benchmark_runs: z.int(),
  message: z.string(),
})
type Contention = z.output<typeof Contention>

/** How benchmarks affect tasks now; null when they do not. */
function contentionOf({ benchmarksRunning, benchmarksWaiting }: Activity): Contention | null {
  if (benchmarksRunning + benchmarksWaiting === 0) return null
  return {
    local_slot_contended: benchmarksRunning > 0,
    active_benchmark_runs: benchmarksRunning,
    queued_benchmark_runs: benchmarksWaiting,
    message:
      benchmarksRunning > 0
        ? 'Local execution slot currently contended by benchmark workloads.'
        : 'Benchmarks wait; tasks take precedence.',
  }
}

export const TaskStatus = z.object({
  task_id: z.string(),
  job_id: z.string(),
  status: z.enum(taskStates),
  created_at: z.string(),
  started_at: instant,
  finished_at: instant,
  provider: z.string().nullable(),
  model: z.string().nullable().describe('The chosen model; once the task is completed, the model that answered.'),
  queue_position: z.int().describe('1 is next; 0 when it is running or finished.'),
  progress: z.number().min(0).max(1).nullable(),
  progress_message: z.string().nullable(),
  eta_seconds: z.number().nullable(),
  runs: z.int().describe('More than 1 if the process died while it was running.'),
  result: TaskOutcome.nullable(),
  benchmark: BenchmarkOutcome.nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  benchmark_contention: Contention.nullable(),
})
export type TaskStatus = z.output<typeof TaskStatus>

/** A task for display. */
export function taskStatus(view: TaskView, activity: Activity): TaskStatus {
  const { task, job, runs, position, progress, etaMs } = view
  const done = task.state === 'completed' || task.state === 'failed' || task.state === 'cancelled'
  const failure = { code: job.failureCode ?? 'internal', message: job.message ?? 'It failed without an error message.' }
  return {
    task_id: task.id,
    job_id: job.id,
    status: task.state,
    created_at: isoOf(task.createdAt),
    started_at: isoOrNull(job.startedAt),
    finished_at: isoOrNull(task.finishedAt),
    provider: job.provider,
    model: job.model,
    queue_position: position,
    progress: task.state === 'completed' ? 1 : (progress?.share ?? null),
    progress_message: done ? null : (progress?.message ?? null),
    eta_seconds: etaMs === undefined ? null : Math.round(etaMs / 1000),
    runs,
    result: TaskOutcome.safeParse(task.outcome).data ?? null,
    benchmark: BenchmarkOutcome.safeParse(task.outcome).data ?? null,
    error: task.state === 'failed' ? failure : null,
    benchmark_contention: done ? null : contentionOf(activity),
  }
}

export const JobStatus = z.object({
  job_id: z.string(),
  task_id: z.string(),
  kind: z.string(),
  status: z.enum(taskStates),
  created_at: z.string(),
  started_at: instant,
  finished_at: instant,
  provider: z.string().nullable(),
  model: z.string().nullable(),
  queue_position: z.int(),
  progress: z.number().min(0).max(1).nullable(),
  progress_message: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
})
export type JobStatus = z.output<typeof JobStatus>

/** One run of a task for display. */
export function jobStatus(job: JobRow, position: number, progress: JobProgress | undefined): JobStatus {
  return {
    job_id: job.id,
    task_id: job.taskId,
    kind: job.kind,
    status: job.state,
    created_at: isoOf(job.createdAt),
    started_at: isoOrNull(job.startedAt),
    finished_at: isoOrNull(job.finishedAt),
    provider: job.provider,
    model: job.model,
    queue_position: position,
    progress: job.state === 'completed' ? 1 : (progress?.share ?? null),
    progress_message: progress?.message ?? null,
    error: job.failureCode === null ? null : { code: job.failureCode, message: job.message ?? '' },
  }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : isoOf(ms)
}
