export interface WriteBehindParts<Item> {
  /** Stores all items or, when it throws, none. */
  write: (items: readonly Item[]) => void
  /** The longest an item waits while writing works. */
  flushMs: number
  /** The most items held: with so many a write happens at once, and while writing fails later ones are dropped and counted. */
  maxBuffered: number
  /** A write failed; its items are kept and tried again after `retryMs`. */
  onFailure: (error: unknown, retryMs: number) => void
  /** Items are being dropped; called for the first after a successful write. */
  onLoss: () => void
}

/** Items on their way to a slow place: taken in memory, written together a little later. */
export interface WriteBehind<Item> {
  /** Never throws and does not write, except when the buffer is full. */
  push: (item: Item) => void
  /** Writes what is held; true when nothing is left. */
  flush: () => boolean
  /** The same, but leaves a place that has just failed alone until its next try is due. */
  flushIfHealthy: () => void
  state: () => WriteBehindState
  /** Writes what is held and takes no more; what cannot be written now is lost. */
  close: () => boolean
}

export interface WriteBehindState {
  buffered: number
  /** Items handed over since the start. */
  written: number
  /** Items dropped because the buffer was full or closed. */
  lost: number
  /** Writes that failed since the last good one. */
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
