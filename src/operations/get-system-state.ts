import { z } from 'zod'
import type { Core } from '../core.ts'
import { taskStates } from '../ledger/tasks.ts'
import { ownerShownTo } from './access.ts'
import { operation } from './operation.ts'
import { ServerStatus, serversOf } from './status.ts'

export const getSystemState = operation({
  name: 'get_system_state',
  summary:
    'An overview: servers, number of models, your tasks, the code index, your spending today and the current settings.',
  effect: 'read',
  input: z.strictObject({}),
  output: z.object({
    version: z.string(),
    started_at: z.string(),
    servers: z.array(ServerStatus),
    models: z.object({ local: z.int(), free: z.int(), paid: z.int() }),
    tasks: z.record(z.enum(taskStates), z.int()),
    code_index: z
      .object({
        directories: z.array(z.string()),
        files: z.int(),
        chunks: z.int(),
        index_bytes: z.int(),
        indexing: z.boolean(),
        watch_complete: z.boolean().describe('Whether file events cover every folder.'),
        skipped: z.record(z.string(), z.int()).describe('Files skipped, by reason.'),
      })
      .nullable()
      .describe('The code search index; null until code search is used.'),
    today: z.object({ requests: z.int(), errors: z.int(), cost_usd: z.number() }),
    settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  run: async (core: Core, _input, { signal, principal }) => {
    const owner = ownerShownTo(principal)
    const models = core.inventory.models()
    const { totals } = await core.ledger.usage({ period: 'today', group_by: ['model'] }, signal, owner)
    return {
      version: core.version,
      started_at: new Date(core.startedAt).toISOString(),
      servers: serversOf(core),
      models: {
        local: models.filter(({ tier }) => tier === 'local').length,
        free: models.filter(({ tier, free }) => tier === 'remote' && free).length,
        paid: models.filter(({ free }) => !free).length,
      },
      tasks: core.ledger.tasks.counts(owner),
      code_index: core.openedCodeSearch()?.status() ?? null,
      today: { requests: totals.requests, errors: totals.errors, cost_usd: totals.cost_usd },
      settings: shownSettings(core),
    }
  },
})

/** All settings with a single value, without the secret ones. */
function shownSettings({ config }: Core): Record<string, string | number | boolean> {
  const secret = /KEY|PASSWORD|PROXY/
  const shown = Object.entries(config().values).filter(
    ([name, value]) => ['string', 'number', 'boolean'].includes(typeof value) && !secret.test(name),
  )
  return Object.fromEntries(shown) as Record<string, string | number | boolean>
}
