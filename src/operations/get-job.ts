import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'
import { requireJob } from './own-task.ts'
import { JobStatus, jobStatus } from './task-view.ts'

export const getJob = operation({
  name: 'get_job',
  summary: 'Status and progress of one background job.',
  effect: 'read',
  http: { method: 'GET', path: '/api/jobs/:job_id' },
  input: z.strictObject({ job_id: z.string() }),
  output: JobStatus,
  run: (core: Core, { job_id }, { principal }) => {
    const { job, position, progress } = requireJob(core, job_id, principal)
    return jobStatus(job, position, progress)
  },
})
