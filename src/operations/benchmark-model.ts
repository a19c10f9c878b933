import { z } from 'zod'
import type { Core } from '../core.ts'
import { benchmarkCategories } from '../tasks/benchmark.ts'
import { startBenchmark } from './benchmark-input.ts'
import { namedModel } from './benchmark-models.ts'
import { operation } from './operation.ts'
import { TaskStatus } from './task-view.ts'

export const benchmarkModel = operation({
  name: 'benchmark_model',
  summary: 'Measures a model on the built-in suites, in the background; the results influence routing.',
  effect: 'spend',
  access: 'admin',
  input: z.strictObject({
    model_id: z.string(),
    provider_id: z.string().optional().describe('The server, if several serve the model.'),
    task_categories: z
      .array(z.enum(benchmarkCategories as [string, ...string[]]))
      .min(1)
      .optional()
      .describe('Default: all.'),
  }),
  output: TaskStatus,
  run: (core: Core, { model_id, provider_id, task_categories }, { principal }) => {
    const model = namedModel(core, provider_id === undefined ? model_id : `${provider_id}/${model_id}`)
    return startBenchmark(core, { models: [model], categories: task_categories }, principal)
  },
})
