import { z } from 'zod'
import { BudgetView, budgetView, type BudgetContext } from './budget-view.ts'
import { operation } from './operation.ts'

const maxWindows = 20

export const listBudgets = operation({
  name: 'list_budgets',
  summary: 'Budgets with what is spent, held and left; without an admin key those of your own key.',
  effect: 'read',
  http: { method: 'GET', path: '/api/budgets' },
  input: z.strictObject({ name: z.string().optional() }),
  output: z.object({ budgets: z.array(BudgetView) }),
  run: async ({ accounting: { budgets }, ledger }: BudgetContext, { name }, { principal }) => {
    const asked = name === undefined ? budgets.list() : budgets.list().filter(each => each.name === name)
    const isOwn = ({ scope, subject }: (typeof asked)[number]) =>
      scope === 'key' && (subject === null || subject === principal.name)
    const shown = principal.admin === true ? asked : asked.filter(isOwn)
    const subject = principal.admin === true ? undefined : principal.name
    return {
      budgets: await Promise.all(
        shown.map(async budget => budgetView(budget, await ledger.budgets.windows(budget.name, subject, maxWindows))),
      ),
    }
  },
})
