/** What an operator may want to be told about keys and money. */
export type AccountingEvent =
  { type: 'key_created' | 'key_rotated' | 'key_revoked'; key: string; at: number } | BudgetEvent

/** A budget's spending has reached a share of its limit; told once for each share and period. */
export interface BudgetEvent {
  type: 'budget_reached'
  budget: string
  /** The key, tag, session, model, provider or task, where each has a limit of its own. */
  subject: string | null
  /** Per cent of the limit. */
  share: 80 | 100
  spentUsd: number
  limitUsd: number
  /** Milliseconds since the epoch; null for a budget that never does. */
  resetsAt: number | null
  at: number
}

/** Passes events on to whoever listens in this process. */
export interface AccountingEvents {
  emit: (event: AccountingEvent) => void
  /** Calls `listener` with every event until the returned function is called. */
  watch: (listener: (event: AccountingEvent) => void) => () => void
}

export function createAccountingEvents(): AccountingEvents {
  const listeners = new Set<(event: AccountingEvent) => void>()
  return {
    emit(event) {
      for (const listener of listeners) listener(event)
    },
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
