import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'
import { requireJob } from './own-task.ts'
import { JobStatus, jobStatus } from './task-view.ts'

export const cancelJob = operation({
  name: 'cancel_job',
  summary: 'Cancels one queued or running background job. A finished job is unchanged.',
  effect: 'write',
  http: { method: 'POST', path: '/api/jobs/:job_id/cancel' },
  input: z.strictObject({ job_id: z.string() }),
  output: z.object({ cancelled: z.boolean(), job: JobStatus }),
  run: (core: Core, { job_id }, { principal }) => {
    requireJob(core, job_id, principal)
    const cancelled = core.tasks.cancelJob(job_id)
    return { cancelled, job: jobStatus(core.tasks.job(job_id).job, 0, undefined) }
  },
})
