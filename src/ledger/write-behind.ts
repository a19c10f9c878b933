export interface WriteBehindParts<Item> {
  /** Stores all items or, when it throws, none. */
  write: (items: readonly Item[]) => void
  /** Maximum time an item waits while writing works. */
  flushMs: number
  /**
   * Maximum number of pending items: reaching it triggers a write, and while writing fails later items are dropped and
   * counted.
   */
  maxBuffered: number
  /** A write failed; its items are kept and retried after `retryMs`. */
  onFailure: (error: unknown, retryMs: number) => void
  /** Items are being dropped; called for the first after a successful write. */
  onLoss: () => void
}

/** A buffer for slow storage: items are accepted in memory and written in batches a little later. */
export interface WriteBehind<Item> {
  /** Never throws and does not write, except when the buffer is full. */
  push: (item: Item) => void
  /** Writes pending items; true when none are left. */
  flush: () => boolean
  /** The same, but waits for the scheduled retry after a failure. */
  flushIfHealthy: () => void
  state: () => WriteBehindState
  /** Writes pending items and accepts no more; what cannot be written now is lost. */
  close: () => boolean
}

export interface WriteBehindState {
  buffered: number
  /** Items accepted since the start. */
  written: number
  /** Items dropped because the buffer was full or closed. */
  lost: number
  /** Consecutive failed writes since the last success. */
  failedWrites: number
}

const longestRetryMs = 5_000

export function createWriteBehind<Item>(parts: WriteBehindParts<Item>): WriteBehind<Item> {
  const { write, flushMs, maxBuffered, onFailure, onLoss } = parts
  let items: Item[] = []
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let written = 0
  let lost = 0
  let lossIsKnown = false
  let failedWrites = 0

  function push(item: Item): void {
    if (closed || items.length >= maxBuffered) return drop(1)
    items.push(item)
    if (items.length >= maxBuffered && failedWrites === 0) flush()
    else timer ??= setTimeout(flush, flushMs)
  }

  function flush(): boolean {
    clearTimeout(timer)
    timer = undefined
    if (items.length === 0) return true
    try {
      write(items)
    } catch (error) {
      failedWrites += 1
      const retryMs = Math.min(flushMs * 2 ** failedWrites, longestRetryMs)
      timer = setTimeout(flush, retryMs)
      onFailure(error, retryMs)
      return false
    }
    written += items.length
    items = []
    failedWrites = 0
    lossIsKnown = false
    return true
  }

  function drop(count: number): void {
    lost += count
    if (!lossIsKnown) onLoss()
    lossIsKnown = true
  }

  return {
    push,
    flush,
    flushIfHealthy: () => {
      if (failedWrites === 0) flush()
    },
    state: () => ({ buffered: items.length, written, lost, failedWrites }),
    close: () => {
      closed = true
      const complete = flush()
      clearTimeout(timer)
      if (items.length > 0) drop(items.length)
      items = []
      return complete
    },
  }
}
