import { z } from 'zod'
import type { Core } from '../core.ts'
import { taskStates } from '../ledger/tasks.ts'
import { ownerShownTo } from './access.ts'
import { operation } from './operation.ts'
import { pageInput, pageOf } from './task-input.ts'
import { JobStatus, jobStatus } from './task-view.ts'

export const listQueue = operation({
  name: 'list_queue',
  summary: 'Queue counts and your jobs: running and queued ones first, then the newest.',
  effect: 'read',
  http: { method: 'GET', path: '/api/queue' },
  input: z.strictObject({
    status: z.enum(taskStates).optional(),
    provider: z.string().optional(),
    model: z.string().optional(),
    task_id: z.string().optional(),
    q: z.string().optional().describe('A substring of the task’s text.'),
    active: z.boolean().optional().describe('Only running and queued jobs.'),
    ...pageInput,
  }),
  output: z.object({
    summary: z.object({
      tasks: z.record(z.enum(taskStates), z.int()),
      waiting: z.int(),
      running: z.int(),
      benchmarks_waiting: z.int(),
      benchmarks_running: z.int(),
      slots: z.array(z.object({ provider: z.string(), slots: z.int(), busy: z.int(), waiting: z.int() })),
    }),
    jobs: z.array(JobStatus),
    total: z.int(),
    page: z.int(),
    page_size: z.int(),
  }),
  run: (core: Core, { status, provider, model, task_id, q, active, page, page_size }, { principal }) => {
    const { tasks, ledger, inventory, slotsOf } = core
    const askedBy = ownerShownTo(principal)
    const filter = { askedBy, state: status, provider, model, taskId: task_id, text: q, unfinished: active }
    const found = ledger.tasks.jobs(filter, pageOf({ page, page_size }))
    const activity = tasks.active()
    return {
      summary: {
        tasks: ledger.tasks.counts(askedBy),
        waiting: activity.waiting,
        running: activity.running,
        benchmarks_waiting: activity.benchmarksWaiting,
        benchmarks_running: activity.benchmarksRunning,
        slots: inventory.providers().map(({ name }) => {
          const slots = slotsOf(name)
          return { provider: name, slots: slots.limits().slots, busy: slots.busy(), waiting: slots.waiting() }
        }),
      },
      jobs: found.jobs.map(({ id }) => {
        const { job, position, progress } = tasks.job(id)
        return jobStatus(job, position, progress)
      }),
      total: found.total,
      page,
      page_size,
    }
  },
})
