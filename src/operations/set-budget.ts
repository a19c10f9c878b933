import { z } from 'zod'
import { budgetPeriods, budgetScopes } from '../accounting/budget.ts'
import { picosOf } from '../accounting/money.ts'
import { GatewayError } from '../errors.ts'
import { budgetLimit, budgetName, BudgetView, budgetView, type BudgetContext } from './budget-view.ts'
import { operation } from './operation.ts'

export const setBudget = operation({
  name: 'set_budget',
  summary:
    'Limits what may be spent in total, or by a key, tag, session, model or provider; replaces the budget of that name. It counts from now on.',
  effect: 'write',
  access: 'admin',
  http: { method: 'PUT', path: '/api/budgets/:name' },
  input: z.strictObject({
    name: budgetName,
    limit_usd: budgetLimit,
    scope: z.enum(budgetScopes).default('total'),
    subject: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('The key, tag, session, model or provider. Default: each has the limit for itself.'),
    period: z.enum(budgetPeriods).default('month'),
    hard: z.boolean().default(true).describe('false: the limit only warns.'),
  }),
  output: z.object({ budget: BudgetView }),
  run: async ({ accounting: { budgets }, ledger }: BudgetContext, input) => {
    const { name, limit_usd, scope, subject = null, period, hard } = input
    if (scope === 'total' && subject !== null) {
      throw new GatewayError('invalid_request', 'A budget of the total has no subject; omit it or choose a scope.', {
        param: 'subject',
      })
    }
    const budget = { name, scope, subject, limit: picosOf(limit_usd), period, isHard: hard }
    await budgets.set(budget)
    return { budget: budgetView(budget, await ledger.budgets.windows(name, undefined, 1)) }
  },
})
