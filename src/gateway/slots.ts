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
   * Waits for a slot, first come first served within a priority (larger goes first), and answers with the function that gives
   * it back. Throws `queue_full`, `queue_timeout`, or the signal's reason; a caller that leaves frees its place in the queue.
   */
  acquire(signal: AbortSignal, priority?: number): Promise<() => void>
  busy(): number
  waiting(): number
  limits(): SlotLimits
}

interface Waiter {
  priority: number
  admit(): void
}

/** The slots of one endpoint. `name` is for messages; `limits` are read for every request. */
export function createSlots(name: string, limits: () => SlotLimits): Slots {
  let busy = 0
  const queue: Waiter[] = []

  const release = () => {
    busy--
    const next = queue.shift()
    if (next !== undefined) {
      busy++
      next.admit()
    }
  }

  // A slot that is given back twice would let one request too many in.
  const once = () => {
    let held = true
    return () => {
      if (held) {
        held = false
        release()
      }
    }
  }

  function wait(signal: AbortSignal, priority: number): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const leave = (error: Error) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        queue.splice(queue.indexOf(waiter), 1)
        reject(error)
      }
      const onAbort = () => leave(asGatewayError(signal.reason))
      const { slots, queueTimeoutMs } = limits()
      const timer = setTimeout(() => leave(waitedTooLong(name, slots, queueTimeoutMs)), queueTimeoutMs)
      const waiter: Waiter = {
        priority,
        admit() {
          clearTimeout(timer)
          signal.removeEventListener('abort', onAbort)
          resolve(once())
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const behind = queue.findIndex(other => other.priority < priority)
      queue.splice(behind < 0 ? queue.length : behind, 0, waiter)
    })
  }

  return {
    async acquire(signal, priority = 0) {
      signal.throwIfAborted()
      if (busy < limits().slots) {
        busy++
        return once()
      }
      if (queue.length >= limits().queueLimit) {
        throw new GatewayError(
          'queue_full',
          `${name} is busy and ${queue.length} requests already wait for it; try later.`,
        )
      }
      return wait(signal, priority)
    },
    busy: () => busy,
    waiting: () => queue.length,
    limits,
  }
}

function waitedTooLong(name: string, slots: number, queueTimeoutMs: number): GatewayError {
  return new GatewayError(
    'queue_timeout',
    `${name} had no free slot for ${queueTimeoutMs} ms (${slots} at once); try later, or raise its PROVIDER_MAX_CONCURRENT_* setting.`,
  )
}
