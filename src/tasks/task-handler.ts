/** The implementation of a kind of task. */
export interface TaskHandler {
  /** A benchmark: it waits in a separate queue and yields to all other work. */
  lowPriority?: boolean
  /** It goes on where an interruption left it, so that it may be interrupted any number of times. */
  resumes?: boolean
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
  /** The requests of a batch. */
  requests?: { total: number; completed: number; failed: number }
}
