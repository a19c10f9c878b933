import { asObject } from '../../json.ts'
import { GatewayError } from '../../errors.ts'
import type { ProviderAccount } from '../provider.ts'
import { readCharge, readUsageIn, usageFormats } from '../../wire/usage-formats.ts'
import type { Usage } from '../../wire/usage.ts'

/** What OpenRouter says about a call at `/generation`; undefined unless it says what it charged. */
export function readBill(answer: unknown): Usage | undefined {
  const bill = asObject(asObject(answer)?.['data'])
  const usage = readUsageIn(usageFormats.openRouterGeneration, bill)
  const charge = readCharge({
    cost: bill?.['total_cost'],
    is_byok: bill?.['is_byok'] === true,
    cost_details: { upstream_inference_cost: bill?.['upstream_inference_cost'] },
  })
  return usage === undefined || charge.reportedCostUsd === undefined ? undefined : { ...usage, ...charge }
}

/** What OpenRouter says about its key at `/key`. Throws `upstream_error` if it does not say what was used. */
export function readAccount(answer: unknown): ProviderAccount {
  const { usage, byok_usage: byok = 0 } = asObject(asObject(answer)?.['data']) ?? {}
  if (typeof usage === 'number' && typeof byok === 'number') return { billedUsd: usage, byokUsd: byok }
  throw new GatewayError('upstream_error', 'OpenRouter did not say at /key what the key has used.')
}
