import type { Core } from '../core.ts'
import { OwnTask, ownTasks, runsInput, startBenchmark } from './benchmark-input.ts'
import { modelsOf } from './benchmark-models.ts'
import { operation } from './operation.ts'
import { TaskStatus } from './task-view.ts'

export const benchmarkTask = operation({
  name: 'benchmark_task',
  summary:
    'Measures the time and cost of one task on a local and a paid model, in the background. get_task_status returns the result.',
  effect: 'spend',
  access: 'admin',
  input: OwnTask.extend(runsInput),
  output: TaskStatus,
  run: (core: Core, { runs_per_task, ...task }, { principal }) =>
    startBenchmark(core, { models: modelsOf(core, [task]), tasks: ownTasks([task]), runs_per_task }, principal),
})
