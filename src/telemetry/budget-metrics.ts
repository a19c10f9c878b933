import { Gauge, type Registry } from 'prom-client'
import type { Budget } from '../accounting/budget.ts'
import { usdOf } from '../accounting/money.ts'
import type { Core } from '../core.ts'
import type { BudgetWindow } from '../ledger/budgets.ts'
import { boundedLabel } from './bounded-label.ts'

/** Budgets with series of their own; more are not shown. */
const maxBudgets = 50

/** The parts of the core that know budgets. */
export type BudgetParts = Pick<Core, 'accounting' | 'now'> & { ledger: Pick<Core['ledger'], 'budgets'> }

/**
 * What is spent and held of each budget. Of one with a limit for each key, tag, … the one that has spent most is shown: names that
 * callers make up are no labels.
 */
export function showBudgets({ accounting, ledger, now }: BudgetParts, registry: Registry): void {
  const label = boundedLabel(maxBudgets)

  async function current({ name }: Budget): Promise<BudgetWindow | undefined> {
    const [window] = await ledger.budgets.windows(name, undefined, 1)
    return window === undefined || (window.resetsAt ?? Infinity) <= now() ? undefined : window
  }

  const show = (name: string, help: string, read: (budget: Budget) => bigint | Promise<bigint>) => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['budget'],
      registers: [],
      async collect() {
        // One that was removed must not keep its last value.
        this.reset()
        for (const budget of accounting.budgets.list()) {
          if (label(budget.name) === budget.name) this.set({ budget: budget.name }, usdOf(await read(budget)))
        }
      },
    })
    registry.registerMetric(gauge)
  }
  show('signalbox_budget_limit_usd', 'The limit of a budget, in USD.', ({ limit }) => limit)
  show('signalbox_budget_spent_usd', 'What is spent of a budget in its current period, in USD.', async budget => {
    return (await current(budget))?.settled ?? 0n
  })
  show('signalbox_budget_held_usd', 'What requests in progress may still cost, in USD.', async budget => {
    return (await current(budget))?.held ?? 0n
  })
}
