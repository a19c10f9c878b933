import { InvalidArgumentError, Option, type Command } from 'commander'
import type { z } from 'zod'
import { budgetPeriods, budgetScopes } from '../accounting/budget.ts'
import type { BudgetView } from '../operations/budget-view.ts'
import { deleteBudget } from '../operations/delete-budget.ts'
import { listBudgets } from '../operations/list-budgets.ts'
import { setBudget } from '../operations/set-budget.ts'
import { withOperations } from './administration.ts'
import { subcommandOf, type CommonOptions } from './subcommand.ts'
import { renderTable } from './table.ts'

const budgetOperations = [setBudget, listBudgets, deleteBudget]

interface SetOptions extends CommonOptions {
  limit: number
  period: string
  scope: string
  subject?: string
  soft?: boolean
}

export function define(command: Command): void {
  command
    .description('Limit what may be spent, and show what was.')
    .usage('<set|list|remove> [options]')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Works on the running Signalbox of this data directory; if none runs, on its ledger. A budget counts from its
creation on; periods begin at midnight in the time zone TIME_ZONE.

Example:
  signalbox budgets set each-key --limit 2 --period day --scope key`,
    )
  const subcommand = subcommandOf(command, 'budgets')
  subcommand('set', 'add a budget, or replace the one of that name', 'set team --limit 50 --period month')
    .argument('<name>', 'name of the budget')
    .requiredOption('--limit <usd>', 'what may be spent, in USD', usd)
    .addOption(new Option('--period <period>', 'after what it begins anew').choices(budgetPeriods).default('month'))
    .addOption(new Option('--scope <scope>', 'whose spending it limits').choices(budgetScopes).default('total'))
    .option('--subject <name>', 'the one key, tag, session, model or provider; else each has the limit for itself')
    .option('--soft', 'only warn')
    .action(set)
  subcommand('list', 'show all budgets with what is spent and left', 'list --json').action(showAll)
  subcommand('remove', 'remove a budget and what is known of its spending', 'remove team')
    .argument('<name>', 'name of the budget')
    .action(remove)
}

async function set(name: string, options: SetOptions): Promise<void> {
  const { limit, period, scope, subject, soft, json, dataDir } = options
  const input = { name, limit_usd: limit, period, scope, subject, hard: soft !== true }
  const { budget } = await withOperations(dataDir, budgetOperations, call => call('set_budget', input))
  process.stdout.write(json === true ? `${JSON.stringify(budget)}\n` : tableOf([budget]))
}

async function showAll({ json, dataDir }: CommonOptions): Promise<void> {
  const { budgets } = await withOperations(dataDir, budgetOperations, call => call('list_budgets', {}))
  process.stdout.write(json === true ? `${JSON.stringify(budgets)}\n` : tableOf(budgets))
}

async function remove(name: string, { json, dataDir }: CommonOptions): Promise<void> {
  const { budget } = await withOperations(dataDir, budgetOperations, call => call('delete_budget', { name }))
  process.stdout.write(json === true ? `${JSON.stringify(budget)}\n` : `Removed ${budget.name}.\n`)
}

function tableOf(budgets: readonly z.output<typeof BudgetView>[]): string {
  if (budgets.length === 0) return 'There are no budgets.\n'
  const head = ['budget', 'for', 'period', 'limit', 'spent', 'held', 'left', 'begins anew']
  const lines = budgets.flatMap(({ name, scope, subject, limit_usd, hard, period, spending }) => {
    const whose = subject ?? (scope === 'total' ? 'all' : `each ${scope}`)
    const limit = `${limit_usd.toFixed(2)}${hard ? '' : ' (soft)'}`
    if (spending.length === 0) return [[name, whose, period, limit, '0.0000', '0.0000', limit_usd.toFixed(4), '']]
    return spending.map(spent => [
      name,
      spent.subject ?? whose,
      spent.period ?? period,
      limit,
      spent.spent_usd.toFixed(4),
      spent.held_usd.toFixed(4),
      spent.left_usd.toFixed(4),
      spent.resets_at?.slice(0, 16).replace('T', ' ') ?? '',
    ])
  })
  return renderTable([head, ...lines], [1, 2, 7])
}

function usd(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
  throw new InvalidArgumentError('Expected an amount in USD such as 50 or 0.25.')
}
