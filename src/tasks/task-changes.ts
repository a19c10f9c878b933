import { asGatewayError } from '../errors.ts'

export interface TaskChange {
  taskId: string
  jobId: string
}

/** Announces that tasks have changed. */
export interface TaskChanges {
  announce: (change: TaskChange) => void
  /** Returns a function that stops it. */
  watch: (listener: (change: TaskChange) => void) => () => void
  /**
   * Resolves when `reached` returns true for a change, or after `maxMs`. Rejects with the signal's reason, as a
   * `GatewayError`.
   */
  until: (reached: (change: TaskChange) => boolean, signal: AbortSignal, maxMs?: number) => Promise<void>
  close: () => void
}

export function createTaskChanges(): TaskChanges {
  const listeners = new Set<(change: TaskChange) => void>()

  function watch(listener: (change: TaskChange) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  return {
    announce(change) {
      for (const listener of listeners) listener(change)
    },
    watch,
    async until(reached, signal, maxMs) {
      if (signal.aborted) throw asGatewayError(signal.reason)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const timer = maxMs === undefined ? undefined : setTimeout(resolve, maxMs)
      const leave = () => {
        reject(asGatewayError(signal.reason))
      }
      signal.addEventListener('abort', leave, { once: true })
      const unwatch = watch(change => {
        if (reached(change)) resolve()
      })
      try {
        await promise
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', leave)
        unwatch()
      }
    },
    close: () => listeners.clear(),
  }
}
