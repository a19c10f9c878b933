import { z } from 'zod'
import type { Core } from '../core.ts'
import { decisionFor } from '../tasks/model-task.ts'
import { DecisionView, decisionView } from './decision-view.ts'
import { operation } from './operation.ts'
import { specOf, taskInput } from './task-input.ts'

export const preemptiveRouteTask = operation({
  name: 'preemptive_route_task',
  summary: 'Predicts which model route_task would choose now, at what cost and why. Runs nothing.',
  effect: 'read',
  core: true,
  card: 'decision',
  input: z.strictObject(taskInput),
  output: DecisionView,
  run: async ({ gateway }: Core, input, { signal, principal }) =>
    decisionView(await decisionFor(gateway, specOf(input), principal.name, signal)),
})
