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
   * Waits for a slot, first come first served within a priority unless `Batching` says otherwise, and returns the function
   * that releases it. Throws `queue_full`, `queue_timeout`, or the signal's reason; an aborted caller leaves the queue.
   */
  acquire(signal: AbortSignal, request?: SlotRequest): Promise<() => void>
  busy(): number
  /** Waiting requests without those of low priority, which delay no other request. */
  waiting(): number
  limits(): SlotLimits
}

/** `low` waits behind everything else, limited only by the caller's signal. */
export type SlotPriority = 'normal' | 'low'

export interface SlotRequest {
  priority?: SlotPriority | undefined
  /** The id of the model that is going to be called. */
  model?: string | undefined
}

/**
 * An endpoint whose models evict each other loads one at every change, so that requests for the model called last go before
 * others, but before none that has waited for `maxWaitMs`.
 */
export interface Batching {
  /** 0 for never. */
  maxWaitMs: () => number
  /** Whether calling `next` after `last` makes the endpoint load it. */
  evicts: (next: string, last: string) => boolean
  /** Milliseconds since the epoch. */
  now: () => number
}

interface Waiter {
  model: string | undefined
  /** Milliseconds since the epoch; 0 where nothing is batched. */
  since: number
  admit(): void
}

/** The slots of one endpoint. `name` is for messages; `limits` are read for every request. */
export function createSlots(name: string, limits: () => SlotLimits, batching?: Batching): Slots {
  let busy = 0
  let last: string | undefined
  const queues: Readonly<Record<SlotPriority, Waiter[]>> = { normal: [], low: [] }

  const release = () => {
    busy--
    const next = take(queues.normal) ?? take(queues.low)
    if (next !== undefined) {
      busy++
      last = next.model ?? last
      next.admit()
    }
  }

  /** The first of a queue, unless it would evict the model that another one waits for. */
  function take(queue: Waiter[]): Waiter | undefined {
    const [first] = queue
    if (first?.model === undefined || last === undefined || batching === undefined) return queue.shift()
    const { maxWaitMs, evicts, now } = batching
    if (first.model === last || now() - first.since >= maxWaitMs() || !evicts(first.model, last)) return queue.shift()
    const same = queue.findIndex(({ model }) => model === last)
    return queue.splice(Math.max(0, same), 1)[0]
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

  function wait(signal: AbortSignal, priority: SlotPriority, model: string | undefined): Promise<() => void> {
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
        model,
        since: batching?.now() ?? 0,
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
    async acquire(signal, { priority = 'normal', model } = {}) {
      signal.throwIfAborted()
      if (busy < limits().slots) {
        busy++
        last = model ?? last
        return once()
      }
      const ahead = queues[priority].length
      if (ahead >= limits().queueLimit) {
        throw new GatewayError(
          'queue_full',
          `${name} is busy and ${ahead} requests are already waiting for it; try later.`,
        )
      }
      return wait(signal, priority, model)
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
