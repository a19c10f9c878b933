import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'

const usd = z.number()

export const reconcileUsage = operation({
  name: 'reconcile_usage',
  summary:
    'Compare recorded costs with what OpenRouter billed since the last check, by model, with the calls behind a difference. Estimates are replaced by what was billed.',
  effect: 'write',
  access: 'admin',
  openWorld: true,
  input: z.strictObject({
    provider: z.string().optional().describe('Only this server.'),
    max_bills: z.int().min(0).max(2_000).default(200).describe('Single calls to ask the bill of, at most.'),
  }),
  output: z.object({
    providers: z.array(
      z.object({
        provider: z.string(),
        from: z.string(),
        until: z.string(),
        recorded_usd: usd,
        billed_usd: usd.nullable().describe('Null at the first check, which is what the next one starts from.'),
        drift_usd: usd.nullable().describe('What was billed and not recorded; negative: recorded and not billed.'),
        corrected: z.int().describe('Estimates replaced by what was billed.'),
        models: z.array(
          z.object({
            model: z.string(),
            attempts: z.int(),
            recorded_usd: usd,
            checked_attempts: z.int().describe('Attempts whose own bill was asked for.'),
            drift_usd: usd.describe('Of the checked ones.'),
          }),
        ),
        rows: z
          .array(
            z.object({
              request_id: z.string(),
              ordinal: z.int(),
              model: z.string(),
              started_at: z.string(),
              recorded_usd: usd.nullable(),
              billed_usd: usd.nullable(),
              reason: z.enum(['billed_otherwise', 'unknown_cost', 'estimated', 'no_id']),
            }),
          )
          .describe('The calls behind the difference, at most 100.'),
      }),
    ),
  }),
  run: async ({ reconciliation }: Core, { provider, max_bills }, { signal }) => {
    const found = await reconciliation.check({ provider, maxBills: max_bills }, signal)
    return {
      providers: found.map(({ from, until, recordedUsd, billedUsd, driftUsd, models, rows, ...each }) => ({
        ...each,
        from: new Date(from).toISOString(),
        until: new Date(until).toISOString(),
        recorded_usd: recordedUsd,
        billed_usd: billedUsd ?? null,
        drift_usd: driftUsd ?? null,
        models: models.map(model => ({
          model: model.model,
          attempts: model.attempts,
          recorded_usd: model.recordedUsd,
          checked_attempts: model.checkedAttempts,
          drift_usd: model.driftUsd,
        })),
        rows: rows.map(row => ({
          request_id: row.requestId,
          ordinal: row.ordinal,
          model: row.model,
          started_at: new Date(row.startedAt).toISOString(),
          recorded_usd: row.recordedUsd,
          billed_usd: row.billedUsd ?? null,
          reason: row.reason,
        })),
      })),
    }
  },
})
