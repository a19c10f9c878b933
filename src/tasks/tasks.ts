import type { Logger } from 'pino'
import { setImmediate } from 'node:timers/promises'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { FinalState } from '../ledger/task-states.ts'
import type { JobRow, TaskStore, TaskRow } from '../ledger/tasks.ts'

/** What a kind of task does. */
export interface TaskHandler {
  /** A benchmark: it waits in a line of its own and lets everybody else go first. */
  yields?: boolean
  /**
   * Does it and answers with what is kept as the task's outcome: plain data. `job.signal` aborts when it is cancelled, which
   * must free whatever it holds at once.
   */
  run: (spec: unknown, job: RunningJob) => Promise<unknown>
}

export interface RunningJob {
  id: string
  /** The same when the job is run again after a crash. */
  taskId: string
  askedBy: string
  signal: AbortSignal
  /** A model begins to work on it; called again when another one takes over. */
  started: (provider: string, model: string) => void
  /** How much of it is done: a share from 0 to 1 where it is known, and in words. */
  progressed: (progress: JobProgress) => void
}

export interface JobProgress {
  share?: number
  message: string
}

/** A task with its runs, as it is now. */
export interface TaskView {
  task: TaskRow
  /** The run that counts. */
  job: JobRow
  runs: number
  /** How many of the same line go before it; 0 when it runs or is done. */
  position: number
  progress: JobProgress | undefined
  /** Milliseconds until it is probably done; undefined where nothing is known of such tasks. */
  etaMs: number | undefined
}

export interface Submission {
  kind: string
  spec: unknown
  askedBy: string
  /** Whose slot it needs, and the model that was chosen; another may do it when its turn comes. */
  provider: string
  model: string
}

export interface TaskChange {
  taskId: string
  jobId: string
}

export interface Tasks {
  /** Writes the task down and puts it in line. What it returns is on disk. */
  submit: (submission: Submission) => TaskView
  /** Throws `not_found`. */
  view: (taskId: string) => TaskView
  /** Waits until the task is done, `ms` have passed or the signal aborts, and then views it. */
  wait: (taskId: string, ms: number, signal: AbortSignal, onChange?: (view: TaskView) => void) => Promise<TaskView>
  /** Answers with the jobs that it ended; none when the task was done. Throws `not_found`. */
  cancel: (taskId: string) => string[]
  /** Whether it was not yet done. Throws `not_found`. */
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
  /** Ends the running jobs without ending their tasks: the next process takes them up. */
  close: () => Promise<void>
}

/** Jobs that wait and run now; benchmarks are counted apart. */
export interface Activity {
  waiting: number
  running: number
  benchmarksWaiting: number
  benchmarksRunning: number
}

export interface TaskParts {
  store: TaskStore
  handlers: Readonly<Record<string, TaskHandler>>
  /** How many jobs of a line may run at once; a line is a provider’s, or the benchmarks’. */
  limitOf: (queue: string) => number
  now: () => number
  newId: (prefix: 'task' | 'job') => string
  log: Logger
  /** How long finished tasks are kept. */
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
const interrupted = 'The process ended while it ran.'

/**
 * Runs background work in the order in which it came, as many at once as its provider has slots. Each state is in the books
 * before anybody is told of it, so that after a crash every task is taken up again or has failed with a reason.
 */
export function createTasks(parts: TaskParts): Tasks {
  const { store, handlers, limitOf, newId, log, retentionMs } = parts
  // The books count whole milliseconds.
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

  /** Benchmarks have a line of their own, so that nobody ever waits behind one. */
  function queueOf(kind: string, provider: string | null): string {
    return handlers[kind]?.yields === true ? benchmarkQueue : (provider ?? '')
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
        // The books failed. What they last said of the job stays true for the next process, which takes it up.
        log.error({ err, jobId }, 'the end of a task could not be written down')
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
      // Whoever submitted it hears of it before it begins.
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
      if (error.code === 'internal') log.error({ err: thrown, jobId }, 'a task failed in an unforeseen way')
      // Its task stays unfinished in the books, and the next process takes it up.
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
    if (job === undefined) throw new GatewayError('not_found', `There is no job ${jobId}.`, { param: 'job_id' })
    return job
  }

  /** Its own line is the one of the provider that it was submitted for; a job that runs may be elsewhere by now. */
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
    if (task === undefined || job === undefined) {
      throw new GatewayError('not_found', `There is no task ${taskId}.`, { param: 'task_id' })
    }
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
      if (closing)
        throw new GatewayError('shutting_down', 'Signalbox is shutting down; submit the task again in a moment.')
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
            new GatewayError('shutting_down', `${interrupted} That was its second run.`),
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
