import { GatewayError, asGatewayError } from '../errors.ts'

export interface SlotLimits {
  /** Requests at once. */
  slots: number
  /** Requests that may wait. */
  queueLimit: number
  queueTimeoutMs: number
}

export interface Slots {
  /**
   * Waits for a slot, first come first served within a priority, and returns the function that releases it. Throws
   * `queue_full`, `queue_timeout`, or the signal's reason; an aborted caller leaves the queue.
   */
  acquire(signal: AbortSignal, priority?: SlotPriority): Promise<() => void>
  busy(): number
  /** Waiting requests without those of low priority, which delay no other request. */
  waiting(): number
  limits(): SlotLimits
}

/** `low` waits behind everything else, limited only by the caller's signal. */
export type SlotPriority = 'normal' | 'low'

interface Waiter {
  admit(): void
}

/** The slots of one endpoint. `name` is for messages; `limits` are read for every request. */
export function createSlots(name: string, limits: () => SlotLimits): Slots {
  let busy = 0
  const queues: Readonly<Record<SlotPriority, Waiter[]>> = { normal: [], low: [] }

  const release = () => {
    busy--
    const next = queues.normal.shift() ?? queues.low.shift()
    if (next !== undefined) {
      busy++
      next.admit()
    }
  }

  // A slot released twice would admit one request too many.
  const once = () => {
    let held = true
    return () => {
      if (held) {
        held = false
        release()
      }
    }
  }

  function wait(signal: AbortSignal, priority: SlotPriority): Promise<() => void> {
    const queue = queues[priority]
    return new Promise((resolve, reject) => {
      const leave = (error: Error) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        queue.splice(queue.indexOf(waiter), 1)
        reject(error)
      }
      const onAbort = () => leave(asGatewayError(signal.reason))
      const { slots, queueTimeoutMs } = limits()
      const timer =
        priority === 'low'
          ? undefined
          : setTimeout(() => leave(waitedTooLong(name, slots, queueTimeoutMs)), queueTimeoutMs)
      const waiter: Waiter = {
        admit() {
          clearTimeout(timer)
          signal.removeEventListener('abort', onAbort)
          resolve(once())
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      queue.push(waiter)
    })
  }

  return {
    async acquire(signal, priority = 'normal') {
      signal.throwIfAborted()
      if (busy < limits().slots) {
        busy++
        return once()
      }
      const ahead = queues[priority].length
      if (ahead >= limits().queueLimit) {
        throw new GatewayError(
          'queue_full',
          `${name} is busy and ${ahead} requests are already waiting for it; try later.`,
        )
      }
      return wait(signal, priority)
    },
    busy: () => busy,
    waiting: () => queues.normal.length,
    limits,
  }
}

function waitedTooLong(name: string, slots: number, queueTimeoutMs: number): GatewayError {
  return new GatewayError(
    'queue_timeout',
    `${name} had no free slot for ${queueTimeoutMs} ms (${slots} at once); try later, or raise its PROVIDER_MAX_CONCURRENT_* setting.`,
  )
}
