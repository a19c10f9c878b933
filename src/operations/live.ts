import { z } from 'zod'
import { taskStates } from '../ledger/tasks.ts'
import type { Core } from '../core.ts'
import { mayReach, ownerShownTo } from './access.ts'
import type { Principal } from './operation.ts'
import { JobStatus, jobStatus } from './task-view.ts'

const Queue = z.object({
  waiting: z.int(),
  running: z.int(),
  tasks: z.record(z.enum(taskStates), z.int()),
})

/** What `/ws` sends, one JSON text per message: a snapshot first, then changes. */
export const LiveMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    version: z.string(),
    /** The available backends, which determine the listed tools. */
    backends: z.array(z.string()),
    queue: Queue,
    jobs: z.array(JobStatus),
  }),
  z.object({ type: z.literal('job'), job: JobStatus, queue: Queue }),
  z.object({ type: z.literal('backends'), backends: z.array(z.string()) }),
])
export type LiveMessage = z.output<typeof LiveMessage>

/** The subset of these events that an MCP server needs: the available backends, and which job changed. */
export type News = { type: 'snapshot' | 'backends'; backends: string[] } | { type: 'job'; job: { job_id: string } }

const maxJobs = 200

/** The configured kinds of servers, and the enabled features. */
function backendsOf({ config }: Core): string[] {
  const kinds = new Set(config().endpoints.map(({ kind }) => kind))
  return [...kinds, ...(config().values.CODE_SEARCH_ENABLED ? ['code-search'] : [])]
}

/** Sends the available backends and then every change of them or of a job, until the returned function is called. */
export function watchNews(core: Core, send: (news: News) => void): () => void {
  const sendBackends = (type: 'snapshot' | 'backends') => send({ type, backends: backendsOf(core) })
  sendBackends('snapshot')
  const unwatchTasks = core.tasks.watch(({ jobId }) => send({ type: 'job', job: { job_id: jobId } }))
  const unwatchConfig = core.watchConfig(() => sendBackends('backends'))
  return () => {
    unwatchTasks()
    unwatchConfig()
  }
}

/** Sends a snapshot and then every change of what a principal may see, until the returned function is called. */
export function watchLive(core: Core, principal: Principal, send: (message: LiveMessage) => void): () => void {
  const { tasks, ledger } = core
  const askedBy = ownerShownTo(principal)
  const queue = () => {
    const { waiting, running } = tasks.active()
    return { waiting, running, tasks: ledger.tasks.counts(askedBy) }
  }
  const view = ({ job, position, progress }: ReturnType<typeof tasks.job>) => jobStatus(job, position, progress)
  const { jobs } = ledger.tasks.jobs({ askedBy, unfinished: true }, { limit: maxJobs, offset: 0 })
  send({
    type: 'snapshot',
    version: core.version,
    backends: backendsOf(core),
    queue: queue(),
    jobs: jobs.map(({ id }) => view(tasks.job(id))),
  })
  const unwatchTasks = tasks.watch(({ jobId }) => {
    const found = tasks.job(jobId)
    if (mayReach(principal, found.job.askedBy)) send({ type: 'job', job: view(found), queue: queue() })
  })
  const unwatchConfig = core.watchConfig(() => {
    send({ type: 'backends', backends: backendsOf(core) })
  })
  return () => {
    unwatchTasks()
    unwatchConfig()
  }
}
