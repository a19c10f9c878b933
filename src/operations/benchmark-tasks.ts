import { z } from 'zod'
import type { Core } from '../core.ts'
import { OwnTask, ownTasks, parallelInput, runsInput, startBenchmark } from './benchmark-input.ts'
import { modelsOf } from './benchmark-models.ts'
import { operation } from './operation.ts'
import { TaskStatus } from './task-view.ts'

export const benchmarkTasks = operation({
  name: 'benchmark_tasks',
  summary:
    'Measures the time and cost of several tasks on the models they name, in the background. get_task_status returns the result.',
  effect: 'spend',
  access: 'admin',
  input: z.strictObject({ tasks: z.array(OwnTask).min(1).max(100), ...runsInput, ...parallelInput }),
  output: TaskStatus,
  run: (core: Core, { tasks, ...how }, { principal }) =>
    startBenchmark(core, { models: modelsOf(core, tasks), tasks: ownTasks(tasks), ...how }, principal),
})
