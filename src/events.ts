import type { Logger } from 'pino'

/** What happens here that other programs want to hear of. Money is in USD. */
export type SignalboxEvent =
  | { type: 'task.finished'; taskId: string; state: string; kind: string }
  | { type: 'provider.down'; provider: string; reason: string }
  | { type: 'provider.up'; provider: string; models: number }
  | {
      type: 'budget.threshold'
      /** The budget's name. */
      budget: string
      /** The key, tag, session, model or provider, where each has the limit for itself. */
      subject: string | undefined
      /** The share that was passed: 0.8 or 1. */
      threshold: number
      usedUsd: number
      limitUsd: number
      /** Milliseconds since the epoch; undefined for a budget that never starts anew. */
      resetsAt: number | undefined
    }
  /** An API key, by its name. */
  | { type: 'key.created' | 'key.rotated' | 'key.revoked'; key: string }
  | {
      type: 'price.changed'
      model: string
      /** The rate with the largest change: `input` or `output`. */
      price: string
      /** Per million tokens. */
      beforeUsd: number
      afterUsd: number
    }
  | {
      type: 'reconciliation.drift'
      provider: string
      /** The first and last moment compared, in milliseconds since the epoch. */
      from: number
      until: number
      recordedUsd: number
      billedUsd: number
    }

export interface Hub<Event> {
  /** Tells every listener; one that throws does not keep the others from hearing. */
  emit: (event: Event) => void
  /** Returns a function that stops it. */
  watch: (listener: (event: Event) => void) => () => void
}

export function createHub<Event>(log: Pick<Logger, 'error'>): Hub<Event> {
  const listeners = new Set<(event: Event) => void>()
  return {
    emit(event) {
      for (const listener of listeners) {
        try {
          listener(event)
        } catch (err) {
          log.error({ err }, 'A listener of events failed.')
        }
      }
    },
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
