import { z } from 'zod'
import type { Core } from '../core.ts'
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

export const status = operation({
  name: 'status',
  summary: 'Which model servers are there, how busy they are, and how many tasks wait or run.',
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
    books: z.object({ ok: z.boolean(), problem: z.string().nullable() }),
  }),
  run: (core: Core) => {
    const { waiting, running } = core.tasks.active()
    const failure = core.ledger.status().failure
    return {
      version: core.version,
      uptime_seconds: Math.floor((core.now() - core.startedAt) / 1000),
      servers: serversOf(core),
      tasks_waiting: waiting,
      tasks_running: running,
      requests_running: core.gateway.active(),
      books: { ok: failure === undefined, problem: failure?.message ?? null },
    }
  },
})

/** Every model server with its health and its slots. */
export function serversOf({ inventory, slotsOf, kindOf }: Core): z.output<typeof ServerStatus>[] {
  return inventory.providers.map(provider => {
    const { state, reason, checkedAt } = provider.health()
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
