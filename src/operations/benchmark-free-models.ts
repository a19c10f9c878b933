import { z } from 'zod'
import type { Core } from '../core.ts'
import { GatewayError } from '../errors.ts'
import { OwnTask, ownTasks, parallelInput, runsInput, startBenchmark } from './benchmark-input.ts'
import { operation } from './operation.ts'
import { TaskStatus } from './task-view.ts'

export const benchmarkFreeModels = operation({
  name: 'benchmark_free_models',
  summary: 'Measures tasks on all free OpenRouter models, in the background: time only, answers are not judged.',
  effect: 'spend',
  access: 'admin',
  needs: 'openrouter',
  input: z.strictObject({
    tasks: z
      .array(OwnTask.omit({ local_model: true, paid_model: true }))
      .min(1)
      .max(100),
    ...runsInput,
    ...parallelInput,
  }),
  output: TaskStatus,
  run: (core: Core, { tasks, ...how }, { principal }) => {
    const free = core.inventory.models().filter(model => model.free && core.kindOf(model.provider) === 'openrouter')
    if (free.length === 0) throw new GatewayError('no_backend', 'OpenRouter has no free models at the moment.')
    return startBenchmark(core, { models: free.map(({ id }) => id), tasks: ownTasks(tasks), ...how }, principal)
  },
})
