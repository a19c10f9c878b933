import type { Logger } from 'pino'
import { GatewayError } from '../errors.ts'
import type { Hub, SignalboxEvent } from '../events.ts'
import type { JobEnding, JobRow, TaskStore } from '../ledger/tasks.ts'
import { createJobQueues } from './job-queues.ts'
import { createJobRunner, failureOf } from './run-job.ts'
import { createTaskChanges, type TaskChange } from './task-changes.ts'
import type { JobProgress, TaskHandler } from './task-handler.ts'
import { createTaskViews, type JobView, type TaskView } from './task-views.ts'

export interface Submission {
  kind: string
  spec: unknown
  askedBy: string
  /** The provider whose slot it needs, and the model that was chosen; another may run it when it starts. */
  provider: string
  model: string
}

export interface Tasks {
  /** Stores and queues the task. What it returns is on disk. */
  submit: (submission: Submission) => TaskView
  /** Throws `not_found`. */
  view: (taskId: string) => TaskView
  /** Waits until the task is finished, `ms` have passed or the signal aborts, and returns its view. */
  wait: (taskId: string, ms: number, signal: AbortSignal, onChange?: (view: TaskView) => void) => Promise<TaskView>
  /** Returns the jobs that it ended; none when the task was finished. Throws `not_found`. */
  cancel: (taskId: string) => string[]
  /** Whether it was still unfinished. Throws `not_found`. */
  cancelJob: (jobId: string) => boolean
  job: (jobId: string) => JobView
  active: () => Activity
  /** Whether no job of a provider's queue waits or runs. Benchmarks have a queue of their own. */
  isIdle: (provider: string) => boolean
  /** Resolves when it is idle; throws the signal's reason. */
  untilIdle: (provider: string, signal: AbortSignal) => Promise<void>
  /** Takes up what an earlier process left unfinished. To be called once, before the first submission. */
  recover: () => void
  watch: (listener: (change: TaskChange) => void) => () => void
  /** Stops the running jobs without ending their tasks: the next process resumes them. */
  close: () => Promise<void>
}

/** Queued and running jobs; benchmarks are counted separately. */
export interface Activity {
  waiting: number
  running: number
  benchmarksWaiting: number
  benchmarksRunning: number
}

export interface TaskParts {
  store: TaskStore
  handlers: Readonly<Record<string, TaskHandler>>
  /** How many jobs of a queue may run at once; a queue belongs to a provider or to the benchmarks. */
  limitOf: (queue: string) => number
  now: () => number
  newId: (prefix: 'task' | 'job') => string
  log: Logger
  events: Pick<Hub<SignalboxEvent>, 'emit'>
}

const benchmarkQueue = 'benchmarks'
const interrupted = 'The process stopped while the task was running.'

/**
 * Runs background tasks in submission order, as many at once as their provider has slots. Each state is in the ledger
 * before it is announced, so that after a crash every task is resumed or has failed with a reason.
 */
export function createTasks(parts: TaskParts): Tasks {
  const { store, handlers, limitOf, newId, log, events } = parts
  // The ledger stores whole milliseconds.
  const now = () => Math.round(parts.now())
  const progress = new Map<string, JobProgress>()
  const closing = new AbortController()
  const changes = createTaskChanges()

  /** Returns whether the job was unfinished. */
  function finish({ taskId, jobId }: TaskChange, ending: JobEnding): boolean {
    if (!store.finish(jobId, now(), ending)) return false
    events.emit({ type: 'task.finished', taskId, kind: store.task(taskId)?.kind ?? '', state: ending.state })
    return true
  }

  const queues = createJobQueues({
    limitOf,
    run: createJobRunner({
      store,
      handlers,
      now,
      log,
      started: changes.announce,
      progressed: (job, step) => {
        progress.set(job.jobId, step)
        changes.announce(job)
      },
      finish,
      closing: closing.signal,
    }),
    ended: job => {
      progress.delete(job.jobId)
      changes.announce(job)
    },
  })

  /**
   * Benchmarks have a separate queue, so that no task ever waits behind one. A job waits in the queue of the provider
   * it was submitted for, even if another one runs it later.
   */
  function queueOf(kind: string, provider: string | null): string {
    return handlers[kind]?.lowPriority === true ? benchmarkQueue : (provider ?? '')
  }

  const views = createTaskViews({ store, queues, progress, limitOf, queueOf, now })

  function cancelJob(jobId: string): boolean {
    const { taskId, kind, provider } = views.job(jobId).job
    if (!finish({ taskId, jobId }, { state: 'cancelled', outcome: undefined })) return false
    const reason = new GatewayError('client_closed', 'The task was cancelled.')
    queues.cancel({ jobId, queue: queueOf(kind, provider) }, reason)
    changes.announce({ taskId, jobId })
    return true
  }

  function isIdle(provider: string): boolean {
    return queues.waiting(provider) === 0 && queues.running(provider) === 0
  }

  /** A second interruption fails the job, because the task itself may be what stops the process. */
  function recoverJob({ id: jobId, taskId, kind, state, provider }: JobRow): void {
    const queue = queueOf(kind, provider)
    if (state === 'queued') {
      queues.add({ jobId, taskId, queue })
    } else if (store.jobsOf(taskId).length > 1 && handlers[kind]?.resumes !== true) {
      const error = new GatewayError('shutting_down', `${interrupted} That was its second attempt.`)
      finish({ taskId, jobId }, failureOf(error))
    } else {
      const nextJobId = newId('job')
      store.rerun(jobId, now(), interrupted, nextJobId)
      queues.add({ jobId: nextJobId, taskId, queue })
    }
  }

  return {
    submit({ kind, spec, askedBy, provider, model }) {
      if (closing.signal.aborted)
        throw new GatewayError('shutting_down', 'Signalbox is shutting down; submit the task again later.')
      const [taskId, jobId] = [newId('task'), newId('job')]
      store.add({ id: taskId, kind, createdAt: now(), askedBy, spec }, { id: jobId, provider, model })
      queues.add({ jobId, taskId, queue: queueOf(kind, provider) })
      changes.announce({ taskId, jobId })
      return views.task(taskId)
    },
    view: views.task,
    async wait(taskId, ms, signal, onChange) {
      const first = views.task(taskId)
      if (first.task.finishedAt !== null || ms <= 0) return first
      const reached = (change: TaskChange) => {
        if (change.taskId !== taskId) return false
        const changed = views.task(taskId)
        if (changed.task.finishedAt !== null) return true
        onChange?.(changed)
        return false
      }
      await changes.until(reached, AbortSignal.any([signal, closing.signal]), ms)
      return views.task(taskId)
    },
    cancel(taskId) {
      views.task(taskId)
      return store
        .jobsOf(taskId)
        .map(({ id }) => id)
        .filter(cancelJob)
    },
    cancelJob,
    job: views.job,
    active() {
      const benchmarksWaiting = queues.waiting(benchmarkQueue)
      const benchmarksRunning = queues.running(benchmarkQueue)
      return {
        waiting: queues.waiting() - benchmarksWaiting,
        running: queues.running() - benchmarksRunning,
        benchmarksWaiting,
        benchmarksRunning,
      }
    },
    isIdle,
    async untilIdle(provider, signal) {
      signal.throwIfAborted()
      if (!isIdle(provider)) await changes.until(() => isIdle(provider), signal)
    },
    recover() {
      store.jobs({ unfinished: true }, { limit: -1, offset: 0 }).jobs.forEach(recoverJob)
    },
    watch: changes.watch,
    async close() {
      const reason = new GatewayError('shutting_down', 'Signalbox is shutting down.')
      closing.abort(reason)
      await queues.close(reason)
      changes.close()
    },
  }
}
