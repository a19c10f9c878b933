import { z } from 'zod'
import { budgetName, BudgetView, budgetView, type BudgetContext } from './budget-view.ts'
import { operation } from './operation.ts'

export const deleteBudget = operation({
  name: 'delete_budget',
  summary: 'Deletes a budget and what is known of its spending. The usage ledger stays as it is.',
  effect: 'destroy',
  access: 'admin',
  http: { method: 'DELETE', path: '/api/budgets/:name' },
  input: z.strictObject({ name: budgetName }),
  output: z.object({ budget: BudgetView }),
  run: async ({ accounting: { budgets } }: BudgetContext, { name }) => ({
    budget: budgetView(await budgets.remove(name), []),
  }),
})
