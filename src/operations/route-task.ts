import { z } from 'zod'
import type { Core } from '../core.ts'
import { boundTo, decisionFor } from '../tasks/model-task.ts'
import { operation } from './operation.ts'
import { specOf, taskInput } from './task-input.ts'
import { TaskStatus, taskStatus } from './task-view.ts'

export const routeTask = operation({
  name: 'route_task',
  summary:
    'Hands a self-contained task to the best available model, local first. Returns a task_id at once; get_task_status returns the result.',
  effect: 'spend',
  core: true,
  http: { method: 'POST', path: '/api/tasks' },
  startsTask: true,
  card: 'task',
  input: z.strictObject({
    ...taskInput,
    preemptive: z.boolean().optional().describe('Choose the model now and keep it, instead of when the task starts.'),
  }),
  output: TaskStatus,
  run: async ({ gateway, tasks }: Core, input, { signal, principal }) => {
    const spec = specOf(input)
    const decision = await decisionFor(gateway, spec, principal.name, signal)
    const [chosen] = decision.ranked
    if (chosen === undefined) throw new Error('a decision without candidates was not refused')
    const view = tasks.submit({
      kind: 'route_task',
      spec: input.preemptive === true ? boundTo(decision, spec) : spec,
      askedBy: principal.name,
      provider: chosen.provider,
      model: chosen.id,
    })
    return taskStatus(view, tasks.active())
  },
})
