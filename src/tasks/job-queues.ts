export interface QueuedJob {
  jobId: string
  taskId: string
  queue: string
}

/** Jobs that wait or run, in queues of which each runs a limited number at once, in the order they were added. */
export interface JobQueues {
  add: (job: QueuedJob) => void
  /** Takes a waiting job out of its queue; aborts a running one. */
  cancel: (job: Omit<QueuedJob, 'taskId'>, reason: unknown) => void
  /** 1 for the next to run; 0 when the job is not waiting. */
  position: (job: Omit<QueuedJob, 'taskId'>) => number
  /** Number of jobs in a queue, or in all. */
  waiting: (queue?: string) => number
  running: (queue?: string) => number
  /** Starts no more jobs, aborts the running ones and waits for them to end. */
  close: (reason: unknown) => Promise<void>
}

interface QueueParts {
  limitOf: (queue: string) => number
  /** Never rejects. */
  run: (job: QueuedJob, signal: AbortSignal) => Promise<void>
  /** The job no longer counts as running, and the next one has not started yet. */
  ended: (job: QueuedJob) => void
}

interface Running {
  queue: string
  controller: AbortController
  ended: Promise<void>
}

export function createJobQueues({ limitOf, run, ended }: QueueParts): JobQueues {
  /** Without empty queues. */
  const queues = new Map<string, QueuedJob[]>()
  const running = new Map<string, Running>()
  let closed = false

  function runningIn(queue: string): number {
    return [...running.values()].filter(job => job.queue === queue).length
  }

  function startNext(queue: string): void {
    if (closed) return
    const jobs = queues.get(queue) ?? []
    const free = Math.max(0, limitOf(queue) - runningIn(queue))
    for (const job of jobs.splice(0, free)) start(job)
    if (jobs.length === 0) queues.delete(queue)
  }

  function start(job: QueuedJob): void {
    const controller = new AbortController()
    running.set(job.jobId, {
      queue: job.queue,
      controller,
      ended: run(job, controller.signal).finally(() => {
        running.delete(job.jobId)
        ended(job)
        startNext(job.queue)
      }),
    })
  }

  function indexOf({ jobId, queue }: Omit<QueuedJob, 'taskId'>): number {
    return queues.get(queue)?.findIndex(job => job.jobId === jobId) ?? -1
  }

  return {
    add(job) {
      const jobs = queues.get(job.queue) ?? []
      jobs.push(job)
      queues.set(job.queue, jobs)
      startNext(job.queue)
    },
    cancel(job, reason) {
      const index = indexOf(job)
      const jobs = queues.get(job.queue)
      if (index >= 0) jobs?.splice(index, 1)
      if (jobs?.length === 0) queues.delete(job.queue)
      running.get(job.jobId)?.controller.abort(reason)
    },
    position: job => indexOf(job) + 1,
    waiting(queue) {
      if (queue !== undefined) return queues.get(queue)?.length ?? 0
      return [...queues.values()].reduce((sum, jobs) => sum + jobs.length, 0)
    },
    running: queue => (queue === undefined ? running.size : runningIn(queue)),
    async close(reason) {
      closed = true
      for (const { controller } of running.values()) controller.abort(reason)
      await Promise.all([...running.values()].map(job => job.ended))
    },
  }
}
