import { setImmediate } from 'node:timers/promises'
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

const Access = z.object({ admin: z.boolean(), read_only: z.boolean() })
type Access = z.output<typeof Access>

/** What `/ws` sends, one JSON text per message: a snapshot first, then changes. */
export const LiveMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    version: z.string(),
    /** What the receiver may do; a Signalbox of another version may not tell. */
    access: Access.optional(),
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
export type News =
  | { type: 'snapshot'; backends: string[]; access?: Access | undefined }
  | { type: 'backends'; backends: string[] }
  | { type: 'job'; job: { job_id: string } }

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

/** Sends what changes to any number of readers; each message is made once for all of them that may see the same. */
export interface LiveFeed {
  /** Sends a snapshot and then every change of what a principal may see, as JSON, until the returned function is called. */
  watch: (principal: Principal, send: SendText) => () => void
}

/** Takes a JSON text, encoded: so it need not be encoded for each reader. */
export type SendText = (text: Buffer) => void

/** Readers that may see the same. */
interface Audience {
  principal: Principal
  readers: Set<Reader>
  snapshot: { text: Buffer; madeAt: number } | undefined
}

interface Reader {
  send: SendText
  /** The last change that its snapshot contains. */
  since: number
}

interface Change {
  number: number
  audience: Audience
  text: Buffer
}

/** Readers written to before the event loop gets a turn. */
const readersPerTurn = 100
/** How long a snapshot serves those who connect one after the other. */
const snapshotMs = 100

export function createLiveFeed(core: Core): LiveFeed {
  const { tasks, ledger, now } = core
  const audiences = new Map<string, Audience>()
  const pending: Change[] = []
  let last = 0
  let isSending = false
  let stopListening: (() => void) | undefined

  const queueFor = (owner: string | undefined) => {
    const { waiting, running } = tasks.active()
    return { waiting, running, tasks: ledger.tasks.counts(owner) }
  }
  const view = ({ job, position, progress }: ReturnType<typeof tasks.job>) => jobStatus(job, position, progress)

  function snapshotFor(audience: Audience): Buffer {
    const owner = ownerShownTo(audience.principal)
    if (audience.snapshot !== undefined && now() - audience.snapshot.madeAt < snapshotMs) return audience.snapshot.text
    const { jobs } = ledger.tasks.jobs({ askedBy: owner, unfinished: true }, { limit: maxJobs, offset: 0 })
    const text = encode({
      type: 'snapshot',
      version: core.version,
      access: accessOf(audience.principal),
      backends: backendsOf(core),
      queue: queueFor(owner),
      jobs: jobs.map(({ id }) => view(tasks.job(id))),
    })
    audience.snapshot = { text, madeAt: now() }
    return text
  }

  function announce(messageFor: (audience: Audience) => LiveMessage | undefined): void {
    last++
    for (const audience of audiences.values()) {
      audience.snapshot = undefined
      const message = messageFor(audience)
      if (message !== undefined) pending.push({ number: last, audience, text: encode(message) })
    }
    if (!isSending) void sendPending()
  }

  async function sendPending(): Promise<void> {
    isSending = true
    let sent = 0
    for (let change = pending.shift(); change !== undefined; change = pending.shift()) {
      for (const reader of change.audience.readers) {
        if (reader.since >= change.number) continue
        reader.send(change.text)
        if (++sent % readersPerTurn === 0) await setImmediate()
      }
    }
    isSending = false
  }

  function listen(): () => void {
    const unwatchTasks = tasks.watch(({ jobId }) => {
      const found = tasks.job(jobId)
      announce(({ principal }) =>
        mayReach(principal, found.job.askedBy)
          ? { type: 'job', job: view(found), queue: queueFor(ownerShownTo(principal)) }
          : undefined,
      )
    })
    const unwatchConfig = core.watchConfig(() => {
      announce(() => ({ type: 'backends', backends: backendsOf(core) }))
    })
    return () => {
      unwatchTasks()
      unwatchConfig()
    }
  }

  return {
    watch(principal, send) {
      const key = JSON.stringify([ownerShownTo(principal) ?? null, accessOf(principal)])
      const audience = audiences.get(key) ?? { principal, readers: new Set(), snapshot: undefined }
      audiences.set(key, audience)
      stopListening ??= listen()
      const reader = { send, since: last }
      audience.readers.add(reader)
      send(snapshotFor(audience))
      return () => {
        audience.readers.delete(reader)
        if (audience.readers.size === 0) audiences.delete(key)
        if (audiences.size > 0) return
        stopListening?.()
        stopListening = undefined
      }
    },
  }
}

function accessOf({ admin, readOnly }: Principal): Access {
  return { admin: admin === true, read_only: readOnly === true }
}

function encode(message: LiveMessage): Buffer {
  return Buffer.from(JSON.stringify(message))
}
