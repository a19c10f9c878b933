import { z } from 'zod'
import { budgetPeriods, budgetScopes, type Budget } from '../accounting/budget.ts'
import { usdOf } from '../accounting/money.ts'
import type { Core } from '../core.ts'
import type { BudgetWindow } from '../ledger/budgets.ts'

/** What the operations on budgets use; the command line has no more where no instance runs. */
export type BudgetContext = Pick<Core, 'accounting'> & { ledger: Pick<Core['ledger'], 'budgets'> }

export const budgetName = z
  .string()
  .regex(/^[\w.@:/-]{1,100}$/, { error: 'must be 1 to 100 letters, digits or any of . - _ @ : /' })

/** Sums of picodollars must fit a 64-bit integer. */
const maxUsd = 1_000_000
export const budgetLimit = z.number().min(0).max(maxUsd)

const BudgetSettings = z.object({
  name: z.string(),
  scope: z.enum(budgetScopes).describe('What it limits the spending of.'),
  subject: z
    .string()
    .nullable()
    .describe('The one key, tag, session, model or provider it is for; null: each for itself.'),
  limit_usd: z.number(),
  period: z.enum(budgetPeriods).describe('After what it begins anew.'),
  hard: z.boolean().describe('A hard limit is never passed; a soft one only warns.'),
})

const Spent = z.object({
  subject: z.string().nullable().describe('Whose spending it is; null for a budget of the total.'),
  period: z.string().nullable().describe('The hour, day, week, month or task; null for a budget for ever.'),
  spent_usd: z.number(),
  held_usd: z.number().describe('What requests in progress may still cost.'),
  left_usd: z.number().describe('Below 0 where more was spent than the limit.'),
  assumed_usd: z
    .number()
    .describe('Part of spent_usd: what was held for requests that were in progress when Signalbox was killed.'),
  resets_at: z.string().nullable(),
})

/** A budget with what was spent of it. */
export const BudgetView = BudgetSettings.extend({ spending: z.array(Spent) })

export function budgetView(budget: Budget, windows: readonly BudgetWindow[]): z.output<typeof BudgetView> {
  return {
    name: budget.name,
    scope: budget.scope,
    subject: budget.subject,
    limit_usd: usdOf(budget.limit),
    period: budget.period,
    hard: budget.isHard,
    spending: windows.map(({ subject, window, settled, held, assumed, resetsAt }) => ({
      subject: subject === '' ? null : subject,
      period: window === '' ? null : window,
      spent_usd: usdOf(settled),
      held_usd: usdOf(held),
      left_usd: usdOf(budget.limit - settled - held),
      assumed_usd: usdOf(assumed),
      resets_at: resetsAt === null ? null : new Date(resetsAt).toISOString(),
    })),
  }
}
