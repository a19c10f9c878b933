import { z } from 'zod'
import type { Core } from '../core.ts'
import { defaultAnswerRoom } from '../router/filter.ts'
import type { Principal } from './operation.ts'
import { taskStatus, type TaskStatus } from './task-view.ts'
import type { BenchmarkSpec } from '../tasks/benchmark.ts'

/** One of the caller's tasks, as the benchmark operations take it. */
export const OwnTask = z.strictObject({
  task_id: z.string(),
  task: z.string().min(1),
  context_length: z.int().min(0),
  expected_output_length: z.int().min(1).optional(),
  complexity: z.number().min(0).max(1).optional(),
  local_model: z.string().optional().describe('Default: the local model that would be chosen.'),
  paid_model: z.string().optional().describe('Default: no paid model is measured.'),
})
export type OwnTask = z.output<typeof OwnTask>

export const runsInput = { runs_per_task: z.int().min(1).max(20).optional() }
export const parallelInput = {
  parallel: z.boolean().optional().describe('Measure several models at once.'),
  max_parallel_tasks: z.int().min(1).max(16).optional(),
}

/** The caller's texts with the token limit of their answers. */
export function ownTasks(tasks: readonly OwnTask[]): NonNullable<BenchmarkSpec['tasks']> {
  return tasks.map(({ task_id, task, expected_output_length }) => ({
    task_id,
    task,
    output_tokens: expected_output_length ?? defaultAnswerRoom,
  }))
}

interface BenchmarkRequest {
  models: readonly string[]
  categories?: string[] | undefined
  tasks?: BenchmarkSpec['tasks']
  runs_per_task?: number | undefined
  parallel?: boolean | undefined
  max_parallel_tasks?: number | undefined
}

/** Queues a benchmark behind everything a caller waits for. */
export function startBenchmark(core: Core, request: BenchmarkRequest, principal: Principal): TaskStatus {
  const { BENCHMARK_RUNS_PER_TASK, BENCHMARK_PARALLEL, BENCHMARK_MAX_PARALLEL_TASKS, BENCHMARK_SAVE_RESULTS } =
    core.config().values
  const spec: BenchmarkSpec = {
    models: [...new Set(request.models)],
    ...(request.categories !== undefined && { categories: request.categories }),
    ...(request.tasks !== undefined && { tasks: request.tasks }),
    repetitions: request.runs_per_task ?? BENCHMARK_RUNS_PER_TASK,
    parallel:
      (request.parallel ?? BENCHMARK_PARALLEL) ? (request.max_parallel_tasks ?? BENCHMARK_MAX_PARALLEL_TASKS) : 1,
    save: BENCHMARK_SAVE_RESULTS,
  }
  const first = core.inventory.models().find(({ id }) => id === spec.models[0])
  const view = core.tasks.submit({
    kind: 'benchmark',
    spec,
    askedBy: principal.name,
    provider: first?.provider ?? '',
    model: first?.id ?? '',
  })
  return taskStatus(view, core.tasks.active())
}
