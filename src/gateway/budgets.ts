import type { Budget } from '../accounting/budget.ts'
import { GatewayError } from '../errors.ts'
import type { BudgetStore } from '../ledger/budgets.ts'

/** The budgets in force. They are few, so all are in memory; what was spent of them is not. */
export interface Budgets {
  /** Reads the stored budgets; none is in force before. */
  load: () => Promise<void>
  /** The oldest first. */
  list: () => readonly Budget[]
  /** Throws `not_found`. */
  named: (name: string) => Budget
  /** Adds a budget or replaces the one of its name. Throws `conflict` if there are too many. */
  set: (budget: Budget) => Promise<void>
  /** Throws `not_found`. */
  remove: (name: string) => Promise<Budget>
}

/** Every request looks at all of them. */
const maxBudgets = 1_000

/** `now` in milliseconds since the epoch. */
export function createBudgets({ store, now }: { store: BudgetStore; now: () => number }): Budgets {
  let all: readonly Budget[] = []

  function named(name: string): Budget {
    const budget = all.find(each => each.name === name)
    if (budget !== undefined) return budget
    throw new GatewayError('not_found', `There is no budget '${name.slice(0, 100)}'; list_budgets lists all.`, {
      param: 'name',
    })
  }

  const load = async () => {
    all = await store.load()
  }

  return {
    load,
    list: () => all,
    named,
    async set(budget) {
      if (all.length >= maxBudgets && all.every(({ name }) => name !== budget.name)) {
        throw new GatewayError('conflict', `There are ${maxBudgets} budgets; no more can be made.`)
      }
      await store.put(budget, now())
      await load()
    },
    async remove(name) {
      const budget = named(name)
      await store.remove(name)
      await load()
      return budget
    },
  }
}
