import { z } from 'zod'
import type { Core } from '../core.ts'
import type { Health, Provider } from '../providers/provider.ts'
import { operation } from './operation.ts'

export const ServerStatus = z.object({
  name: z.string(),
  kind: z.string(),
  tier: z.enum(['local', 'remote']),
  state: z.enum(['unknown', 'up', 'down']),
  reason: z.string().nullable(),
  checked_at: z.string().nullable(),
  models: z.int(),
  slots: z.int(),
  busy: z.int(),
  waiting: z.int(),
})

export const LedgerView = z.object({
  ok: z.boolean(),
  problem: z.string().nullable().describe('Why it cannot be written now.'),
  buffered: z.int().describe('Requests that are not written yet.'),
  written: z.int(),
  lost: z.int().describe('Dropped because the buffer was full.'),
  rejected: z.int().describe('Rejected by the database, entirely or in part.'),
  failed_writes: z.int().describe('Since the last good one.'),
})

/** What of the core the status is made of. */
export type StatusParts = Pick<Core, 'inventory' | 'slotsOf' | 'kindOf' | 'conditionOfProvider' | 'ledger' | 'version'>

export const status = operation({
  name: 'status',
  summary: 'Available model servers, how busy they are, and how many tasks are queued or running.',
  effect: 'read',
  core: true,
  input: z.strictObject({}),
  output: z.object({
    version: z.string(),
    uptime_seconds: z.int(),
    servers: z.array(ServerStatus),
    tasks_waiting: z.int(),
    tasks_running: z.int(),
    requests_running: z.int(),
    ledger: LedgerView,
  }),
  run: (core: Core) => {
    const { waiting, running } = core.tasks.active()
    return {
      version: core.version,
      uptime_seconds: Math.floor((core.now() - core.startedAt) / 1000),
      servers: serversOf(core),
      tasks_waiting: waiting,
      tasks_running: running,
      requests_running: core.gateway.active(),
      ledger: ledgerView(core),
    }
  },
})

/** Every model server with its health and its slots. */
export function serversOf(core: StatusParts): z.output<typeof ServerStatus>[] {
  const { inventory, slotsOf, kindOf } = core
  return inventory.providers().map(provider => {
    const { checkedAt } = provider.health()
    const { state, reason } = healthOf(core, provider)
    const slots = slotsOf(provider.name)
    return {
      name: provider.name,
      kind: kindOf(provider.name) ?? 'unknown',
      tier: provider.tier,
      state,
      reason: reason ?? null,
      checked_at: checkedAt === 0 ? null : new Date(checkedAt).toISOString(),
      models: provider.models().length,
      slots: slots.limits().slots,
      busy: slots.busy(),
      waiting: slots.waiting(),
    }
  })
}

/** A server that lists its models but rejects every request is not up. */
function healthOf({ conditionOfProvider }: StatusParts, provider: Provider): Pick<Health, 'state' | 'reason'> {
  const health = provider.health()
  const condition = conditionOfProvider(provider.name)
  if (health.state !== 'up' || condition.state === 'ready') return health
  const until = condition.until === undefined ? '' : ` Next try after ${new Date(condition.until).toISOString()}.`
  return { state: 'down', reason: `${condition.reason ?? 'it does not serve requests'}${until}` }
}

/** Whether the ledger can be written, and what became of the requests handed to it since the start. */
export function ledgerView({ ledger }: StatusParts): z.output<typeof LedgerView> {
  const { failure, buffered, written, lost, rejected, failedWrites } = ledger.status()
  return {
    ok: failure === undefined,
    problem: failure?.message ?? null,
    buffered,
    written,
    lost,
    rejected,
    failed_writes: failedWrites,
  }
}
