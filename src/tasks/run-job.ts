import type { Logger } from 'pino'
import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { JobEnding, TaskStore } from '../ledger/tasks.ts'
import type { QueuedJob } from './job-queues.ts'
import type { JobProgress, TaskHandler } from './task-handler.ts'

interface RunnerParts {
  store: TaskStore
  handlers: Readonly<Record<string, TaskHandler>>
  now: () => number
  log: Logger
  /** A model has started working on the job, or another one has taken over. */
  started: (job: QueuedJob) => void
  progressed: (job: QueuedJob, progress: JobProgress) => void
  /** Stores how a job ended. Throws while the ledger cannot be written. */
  finish: (job: QueuedJob, ending: JobEnding) => void
  /** Aborts when the process shuts down. */
  closing: AbortSignal
}

/**
 * Returns a function that runs a job by the handler of its task and stores how it ended. A job that the shutdown
 * interrupts stays unfinished in the ledger, and the next process resumes its task. While the ledger cannot be written, a job
 * that has ended keeps its slot. The function never rejects.
 */
export function createJobRunner(parts: RunnerParts) {
  const { store, handlers, now, log, started, progressed, finish, closing } = parts

  async function outcomeOf(job: QueuedJob, signal: AbortSignal): Promise<unknown> {
    const task = store.task(job.taskId)
    const handler = handlers[task?.kind ?? '']
    if (task === undefined || handler === undefined) {
      throw new GatewayError('unsupported', `This version cannot run ${task?.kind ?? job.jobId}.`)
    }
    // The submitter is notified before it starts.
    await nextTurn()
    signal.throwIfAborted()
    return handler.run(task.spec, {
      id: job.jobId,
      taskId: job.taskId,
      askedBy: task.askedBy,
      signal,
      started: (provider, model) => {
        store.assign(job.jobId, provider, model)
        store.start(job.jobId, now())
        started(job)
      },
      progressed: progress => {
        progressed(job, progress)
      },
    })
  }

  async function endingOf(job: QueuedJob, signal: AbortSignal): Promise<JobEnding | undefined> {
    try {
      return { state: 'completed', outcome: await outcomeOf(job, signal) }
    } catch (thrown) {
      const error = asGatewayError(thrown)
      if (error.code === 'internal') log.error({ err: thrown, jobId: job.jobId }, 'a task failed unexpectedly')
      return closing.aborted ? undefined : failureOf(error)
    }
  }

  /** Tries until the ledger takes it or the process shuts down; the next process then resumes the task. */
  async function record(job: QueuedJob, ending: JobEnding): Promise<void> {
    for (let waitMs = firstRetryMs; ; waitMs = Math.min(2 * waitMs, longestRetryMs)) {
      try {
        finish(job, ending)
        return
      } catch (err) {
        log.error({ err, jobId: job.jobId }, 'cannot record the end of a task; it will be retried')
      }
      await setTimeout(waitMs, undefined, { signal: closing, ref: false })
    }
  }

  return async (job: QueuedJob, signal: AbortSignal): Promise<void> => {
    const ending = await endingOf(job, signal)
    if (ending === undefined) return
    try {
      await record(job, ending)
    } catch (err) {
      log.error({ err, jobId: job.jobId }, 'the end of a task is not recorded: Signalbox is shutting down')
    }
  }
}

const firstRetryMs = 100
const longestRetryMs = 5_000

export function failureOf(error: GatewayError): JobEnding {
  return { state: 'failed', outcome: undefined, failureCode: error.code, message: error.message }
}
