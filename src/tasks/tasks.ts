import type { Logger } from 'pino'
import { setImmediate } from 'node:timers/promises'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { FinalState } from '../ledger/task-states.ts'
import type { JobRow, TaskStore, TaskRow } from '../ledger/tasks.ts'

/** The implementation of a kind of task. */
export interface TaskHandler {
  /** A benchmark: it waits in a separate queue and yields to all other work. */
  lowPriority?: boolean
  /**
   * Runs the task and returns its stored outcome: plain data. `job.signal` aborts on cancellation, which must release
   * all resources at once.
   */
  run: (spec: unknown, job: RunningJob) => Promise<unknown>
}

export interface RunningJob {
  id: string
  /** The same when the job is rerun after a crash. */
  taskId: string
  askedBy: string
  signal: AbortSignal
  /** A model starts working on it; called again when another one takes over. */
  started: (provider: string, model: string) => void
  /** Progress: a share from 0 to 1 where it is known, and a text. */
  progressed: (progress: JobProgress) => void
}

export interface JobProgress {
  share?: number
  message: string
}

/** A task with its runs, in its current state. */
export interface TaskView {
  task: TaskRow
  /** The current run. */
  job: JobRow
  runs: number
  /** Number of jobs ahead of it in the same queue; 0 when it is running or finished. */
  position: number
  progress: JobProgress | undefined
  /** Estimated milliseconds until it finishes; undefined without data on such tasks. */
  etaMs: number | undefined
}

export interface Submission {
  kind: string
  spec: unknown
  askedBy: string
  /** The provider whose slot it needs, and the model that was chosen; another may run it when it starts. */
  provider: string
  model: string
}

export interface TaskChange {
  taskId: string
  jobId: string
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
  job: (jobId: string) => { job: JobRow; position: number; progress: JobProgress | undefined }
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
  /** How long finished tasks are kept, in milliseconds. */
  retentionMs: () => number
}

interface Waiting {
  jobId: string
  taskId: string
  queue: string
}

interface Running {
  queue: string
  controller: AbortController
  ended: Promise<void>
}

const benchmarkQueue = 'benchmarks'
const pruneIntervalMs = 3_600_000
const interrupted = 'The process stopped while the task was running.'

/**
 * Runs background tasks in submission order, as many at once as their provider has slots. Each state is in the ledger
 * before it is announced, so that after a crash every task is resumed or has failed with a reason.
 */
export function createTasks(parts: TaskParts): Tasks {
  const { store, handlers, limitOf, newId, log, retentionMs } = parts
  // The ledger stores whole milliseconds.
  const now = () => Math.round(parts.now())
  const lines = new Map<string, Waiting[]>()
  const running = new Map<string, Running>()
  const progress = new Map<string, JobProgress>()
  const listeners = new Set<(change: TaskChange) => void>()
  const ending = new AbortController()
  let closing = false

  const prune = () => store.prune(now() - retentionMs())
  const pruning = setInterval(prune, pruneIntervalMs).unref()

  function tell(change: TaskChange): void {
    for (const listener of listeners) listener(change)
  }

  /** Benchmarks have a separate queue, so that no task ever waits behind one. */
  function queueOf(kind: string, provider: string | null): string {
    return handlers[kind]?.lowPriority === true ? benchmarkQueue : (provider ?? '')
  }

  function enqueue(jobId: string, taskId: string, queue: string): void {
    const line = lines.get(queue) ?? []
    lines.set(queue, line)
    line.push({ jobId, taskId, queue })
    pump(queue)
  }

  function pump(queue: string): void {
    if (closing) return
    const line = lines.get(queue) ?? []
    const free = Math.max(0, limitOf(queue) - runningIn(queue))
    for (const next of line.splice(0, free)) start(next)
    if (line.length === 0) lines.delete(queue)
  }

  function runningIn(queue: string): number {
    return [...running.values()].filter(job => job.queue === queue).length
  }

  function start({ jobId, taskId, queue }: Waiting): void {
    const controller = new AbortController()
    const ended = run(jobId, taskId, controller.signal)
      .catch((err: unknown) => {
        // The ledger failed. The last state it stored stays valid for the next process, which resumes the task.
        log.error({ err, jobId }, 'could not record the end of a task')
      })
      .finally(() => {
        running.delete(jobId)
        progress.delete(jobId)
        tell({ taskId, jobId })
        pump(queue)
      })
    running.set(jobId, { queue, controller, ended })
  }

  async function run(jobId: string, taskId: string, signal: AbortSignal): Promise<void> {
    const task = store.task(taskId)
    const handler = handlers[task?.kind ?? '']
    if (task === undefined || handler === undefined) {
      finish(
        jobId,
        'failed',
        undefined,
        new GatewayError('unsupported', `This version cannot run ${task?.kind ?? jobId}.`),
      )
      return
    }
    try {
      // The submitter is notified before it starts.
      await setImmediate()
      signal.throwIfAborted()
      const outcome = await handler.run(task.spec, {
        id: jobId,
        taskId,
        askedBy: task.askedBy,
        signal,
        started: (provider, model) => {
          store.assign(jobId, provider, model)
          store.start(jobId, now())
          tell({ taskId, jobId })
        },
        progressed: step => {
          progress.set(jobId, step)
          tell({ taskId, jobId })
        },
      })
      finish(jobId, 'completed', outcome)
    } catch (thrown) {
      const error = asGatewayError(thrown)
      if (error.code === 'internal') log.error({ err: thrown, jobId }, 'a task failed unexpectedly')
      // Its task stays unfinished in the ledger, and the next process resumes it.
      if (closing) return
      finish(jobId, 'failed', undefined, error)
    }
  }

  function finish(jobId: string, state: FinalState, outcome?: unknown, error?: GatewayError): boolean {
    return store.finish(jobId, now(), {
      state,
      outcome,
      ...(error !== undefined && { failureCode: error.code, message: error.message }),
    })
  }

  function cancelJob(jobId: string): boolean {
    const job = findJob(jobId)
    const cancelled = finish(jobId, 'cancelled')
    if (!cancelled) return false
    const line = lines.get(queueOf(job.kind, job.provider))
    const at = line?.findIndex(waiting => waiting.jobId === jobId) ?? -1
    if (at >= 0) line?.splice(at, 1)
    running.get(jobId)?.controller.abort(new GatewayError('client_closed', 'The task was cancelled.'))
    tell({ taskId: job.taskId, jobId })
    return true
  }

  function findJob(jobId: string): JobRow {
    const job = store.job(jobId)
    if (job === undefined) throw unknownJob(jobId)
    return job
  }

  /** Its queue is that of the provider it was submitted for; a running job may be on another by now. */
  function positionOf({ id, kind, provider, state }: JobRow): number {
    if (state !== 'queued' || running.has(id)) return 0
    const at = lines.get(queueOf(kind, provider))?.findIndex(waiting => waiting.jobId === id) ?? -1
    return at + 1
  }

  function etaOf(job: JobRow, position: number): number | undefined {
    if (job.finishedAt !== null || job.provider === null) return undefined
    const each = store.typicalMs(job.kind, job.provider)
    if (each === undefined) return undefined
    const rounds = Math.ceil(position / Math.max(1, limitOf(queueOf(job.kind, job.provider))))
    const own = job.startedAt === null ? each : Math.max(0, each - (now() - job.startedAt))
    return Math.round(rounds * each + own)
  }

  function view(taskId: string): TaskView {
    const task = store.task(taskId)
    const jobs = store.jobsOf(taskId)
    const job = jobs.at(-1)
    if (task === undefined || job === undefined) throw unknownTask(taskId)
    const position = positionOf(job)
    return { task, job, runs: jobs.length, position, progress: progress.get(job.id), etaMs: etaOf(job, position) }
  }

  function watch(listener: (change: TaskChange) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  function isIdle(provider: string): boolean {
    return !lines.has(provider) && runningIn(provider) === 0
  }

  async function untilIdle(provider: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (isIdle(provider)) return
    const found = Promise.withResolvers<void>()
    const leave = () => {
      found.reject(asGatewayError(signal.reason))
    }
    signal.addEventListener('abort', leave, { once: true })
    const unwatch = watch(() => {
      if (isIdle(provider)) found.resolve()
    })
    try {
      await found.promise
    } finally {
      signal.removeEventListener('abort', leave)
      unwatch()
    }
  }

  return {
    submit({ kind, spec, askedBy, provider, model }) {
      if (closing) throw new GatewayError('shutting_down', 'Signalbox is shutting down; submit the task again later.')
      const [taskId, jobId] = [newId('task'), newId('job')]
      store.add({ id: taskId, kind, createdAt: now(), askedBy, spec }, { id: jobId, provider, model })
      enqueue(jobId, taskId, queueOf(kind, provider))
      tell({ taskId, jobId })
      return view(taskId)
    },
    view,
    async wait(taskId, ms, callerSignal, onChange) {
      const signal = AbortSignal.any([callerSignal, ending.signal])
      const first = view(taskId)
      if (first.task.finishedAt !== null || ms <= 0) return first
      const done = Promise.withResolvers<void>()
      const timer = setTimeout(() => {
        done.resolve()
      }, ms)
      const leave = () => {
        done.reject(asGatewayError(signal.reason))
      }
      signal.addEventListener('abort', leave, { once: true })
      const unwatch = watch(change => {
        if (change.taskId !== taskId) return
        const now = view(taskId)
        if (now.task.finishedAt === null) onChange?.(now)
        else done.resolve()
      })
      try {
        signal.throwIfAborted()
        await done.promise
        return view(taskId)
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', leave)
        unwatch()
      }
    },
    cancel(taskId) {
      view(taskId)
      return store
        .jobsOf(taskId)
        .map(({ id }) => id)
        .filter(cancelJob)
    },
    cancelJob,
    job(jobId) {
      const job = findJob(jobId)
      return { job, position: positionOf(job), progress: progress.get(jobId) }
    },
    active() {
      const waiting = [...lines.values()].reduce((sum, line) => sum + line.length, 0)
      const benchmarksWaiting = lines.get(benchmarkQueue)?.length ?? 0
      const benchmarksRunning = runningIn(benchmarkQueue)
      return {
        waiting: waiting - benchmarksWaiting,
        running: running.size - benchmarksRunning,
        benchmarksWaiting,
        benchmarksRunning,
      }
    },
    isIdle,
    untilIdle,
    recover() {
      prune()
      const { jobs } = store.jobs({ unfinished: true }, { limit: -1, offset: 0 })
      for (const { id: jobId, taskId, kind, state, provider } of jobs) {
        const queue = queueOf(kind, provider)
        if (state === 'queued') {
          enqueue(jobId, taskId, queue)
        } else if (store.jobsOf(taskId).length > 1) {
          finish(
            jobId,
            'failed',
            undefined,
            new GatewayError('shutting_down', `${interrupted} That was its second attempt.`),
          )
        } else {
          const nextJobId = newId('job')
          store.rerun(jobId, now(), interrupted, nextJobId)
          enqueue(nextJobId, taskId, queue)
        }
      }
    },
    watch,
    async close() {
      closing = true
      clearInterval(pruning)
      const reason = new GatewayError('shutting_down', 'Signalbox is shutting down.')
      ending.abort(reason)
      for (const { controller } of running.values()) controller.abort(reason)
      await Promise.all([...running.values()].map(({ ended }) => ended))
      listeners.clear()
    },
  }
}

export function unknownTask(taskId: string): GatewayError {
  return new GatewayError('not_found', `Unknown task: ${taskId.slice(0, 100)}.`, { param: 'task_id' })
}

export function unknownJob(jobId: string): GatewayError {
  return new GatewayError('not_found', `Unknown job: ${jobId.slice(0, 100)}.`, { param: 'job_id' })
}
