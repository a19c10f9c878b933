import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'
import { JobStatus, jobStatus } from './task-view.ts'

export const getJob = operation({
  name: 'get_job',
  summary: 'Status and progress of one background job.',
  effect: 'read',
  http: { method: 'GET', path: '/api/jobs/:job_id' },
  input: z.strictObject({ job_id: z.string() }),
  output: JobStatus,
  run: ({ tasks }: Core, { job_id }) => {
    const { job, position, progress } = tasks.job(job_id)
    return jobStatus(job, position, progress)
  },
})
