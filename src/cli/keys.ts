import { InvalidArgumentError, Option, type Command } from 'commander'
import type { z } from 'zod'
import { scopes } from '../accounting/api-key.ts'
import { budgetPeriods, type BudgetPeriod } from '../accounting/budget.ts'
import type { ApiKeyView, IssuedKey } from '../operations/api-key-view.ts'
import { createApiKey } from '../operations/create-api-key.ts'
import { listApiKeys } from '../operations/list-api-keys.ts'
import { revokeApiKey } from '../operations/revoke-api-key.ts'
import { rotateApiKey } from '../operations/rotate-api-key.ts'
import { withOperations } from './administration.ts'
import { subcommandOf, type CommonOptions } from './subcommand.ts'
import { renderTable } from './table.ts'

const keyOperations = [createApiKey, listApiKeys, revokeApiKey, rotateApiKey]
const pageSize = 200

interface CreateOptions extends CommonOptions {
  owner?: string
  scope: string[]
  expires?: string
  models?: string[]
  providers?: string[]
  rpm?: number
  tpm?: number
  concurrent?: number
  budget?: KeyBudget
  upstream: Record<string, string>
}

export function define(command: Command): void {
  command
    .description('Create, list, rotate and revoke API keys.')
    .usage('<create|list|rotate|revoke> [options]')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Works on the running Signalbox of this data directory; if none runs, on its ledger. A key is shown when it is
created or rotated, and never again. With the first key, requests without a key are refused.

Example:
  signalbox keys create alice --owner 'Alice' --expires 90d --rpm 60 --models 'openrouter/*:free'`,
    )
  const subcommand = subcommandOf(command, 'keys')
  subcommand('create', 'create a key and show it', "create ci --scope inference --models 'ollama/*'")
    .argument('<name>', 'name of the key; it appears in usage reports')
    .option('--owner <text>', 'the person or team that it is for')
    .addOption(
      new Option('--scope <scopes>', `what it may do: ${scopes.join(', ')}`)
        .argParser(list)
        .default(['inference', 'read'], 'inference,read'),
    )
    .option('--expires <when>', 'a time from now such as 90d or 12h, or a date such as 2027-01-31', instant)
    .option('--models <names>', 'models it may use, * for any characters', list)
    .option('--providers <names>', 'providers it may use', list)
    .option('--rpm <number>', 'requests per minute', count)
    .option('--tpm <number>', 'tokens per minute', count)
    .option('--concurrent <number>', 'requests at the same time', count)
    .option('--budget <usd/period>', 'a budget of its own, such as 5/day', keyBudget)
    .option('--upstream <provider=VARIABLE>', 'the variable with its own key at a provider', upstream, {})
    .action(create)
  subcommand('list', 'show all keys, without their tokens', 'list --json').action(showAll)
  subcommand('rotate', 'replace the token of a key and show the new one', 'rotate alice --grace 24h')
    .argument('<name>', 'name of the key')
    .option('--grace <duration>', 'how long the previous token goes on working, such as 24h', duration, 0)
    .action(rotate)
  subcommand('revoke', 'end a key for ever', 'revoke alice').argument('<name>', 'name of the key').action(revoke)
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { owner, scope, expires, models, providers, rpm, tpm, concurrent, budget, upstream: upstreamKeys } = options
  const input = {
    name,
    owner,
    scopes: scope,
    expires_at: expires,
    models,
    providers,
    requests_per_minute: rpm,
    tokens_per_minute: tpm,
    concurrent_requests: concurrent,
    upstream_keys: upstreamKeys,
    budget,
  }
  const issued = await withOperations(options.dataDir, keyOperations, call => call('create_api_key', input))
  printIssued(issued, options)
}

async function rotate(name: string, options: CommonOptions & { grace: number }): Promise<void> {
  const input = { name, grace_seconds: options.grace / 1000 }
  const issued = await withOperations(options.dataDir, keyOperations, call => call('rotate_api_key', input))
  printIssued(issued, options)
}

async function revoke(name: string, options: CommonOptions): Promise<void> {
  const { key } = await withOperations(options.dataDir, keyOperations, call => call('revoke_api_key', { name }))
  process.stdout.write(options.json === true ? `${JSON.stringify(key)}\n` : `Revoked ${key.name}.\n`)
}

async function showAll({ json, dataDir }: CommonOptions): Promise<void> {
  const keys = await withOperations(dataDir, keyOperations, async call => {
    const found: View[] = []
    for (let page = 1; ; page++) {
      const { keys: some, total } = await call('list_api_keys', { page, page_size: pageSize })
      found.push(...some)
      if (found.length >= total || some.length === 0) return found
    }
  })
  process.stdout.write(json === true ? `${JSON.stringify(keys)}\n` : tableOf(keys))
}

function printIssued({ key, token }: z.output<typeof IssuedKey>, { json }: CommonOptions): void {
  if (json === true) process.stdout.write(`${JSON.stringify({ key, token })}\n`)
  else process.stdout.write(`${token}\n\nThis is the key of ${key.name}. It is not shown again: store it safely.\n`)
}

type View = z.output<typeof ApiKeyView>

function tableOf(keys: readonly View[]): string {
  if (keys.length === 0) return 'No API keys were created here.\n'
  const head = ['name', 'owner', 'state', 'scopes', 'models', 'expires', 'per minute']
  const lines = keys.map(key => [
    key.name,
    key.owner ?? '',
    key.state,
    key.scopes.join(','),
    [...(key.models ?? []), ...(key.providers ?? []).map(name => `${name}/*`)].join(',') || 'all',
    key.expires_at?.slice(0, 10) ?? 'never',
    key.requests_per_minute === null ? 'any' : String(key.requests_per_minute),
  ])
  return renderTable([head, ...lines], [1, 2, 3, 4])
}

function list(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(Boolean)
}

interface KeyBudget {
  limit_usd: number
  period: BudgetPeriod
}

function keyBudget(text: string): KeyBudget {
  const [, limit, period] = /^(\d+(?:\.\d+)?)\/(\w+)$/.exec(text) ?? []
  const known = budgetPeriods.find(each => each === period)
  if (limit === undefined || known === undefined) throw new InvalidArgumentError('Expected a budget such as 5/day.')
  return { limit_usd: Number(limit), period: known }
}

function count(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('Expected a positive whole number.')
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds. */
function duration(text: string): number {
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  if (amount === undefined || unit === undefined)
    throw new InvalidArgumentError('Expected a duration such as 24h or 90d.')
  return Number(amount) * unitMs[unit]!
}

function instant(text: string): string {
  const ms = /^\d+[mhd]$/.test(text) ? Date.now() + duration(text) : Date.parse(text)
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Expected a duration such as 90d, or a date such as 2027-01-31.')
  return new Date(ms).toISOString()
}

function upstream(text: string, before: Record<string, string>): Record<string, string> {
  const [, provider, variable] = /^([^=]+)=(\w+)$/.exec(text) ?? []
  if (provider === undefined || variable === undefined) {
    throw new InvalidArgumentError('Expected a provider and a variable such as openrouter=ALICE_OPENROUTER_KEY.')
  }
  return { ...before, [provider]: variable }
}
