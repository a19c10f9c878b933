import { z } from 'zod'
import { defaultOutputTokens, expectedCostOf } from '../accounting/pricing.ts'
import type { Core } from '../core.ts'
import { select } from '../router/select.ts'
import { operation } from './operation.ts'

const maxShown = 20

export const getCostEstimate = operation({
  name: 'get_cost_estimate',
  summary: 'The cost in USD of a task of a given size on each model, cheapest first. Local and free models cost 0.',
  effect: 'read',
  core: true,
  input: z.strictObject({
    context_length: z.int().min(0).describe('Tokens of the prompt.'),
    expected_output_length: z.int().min(0).default(defaultOutputTokens).describe('Tokens of the answer.'),
    model: z.string().optional().describe('Only this model.'),
  }),
  output: z.object({
    estimates: z.array(
      z.object({
        model: z.string(),
        tier: z.enum(['local', 'remote']),
        cost_usd: z.number().nullable().describe('Null where the price is unknown.'),
      }),
    ),
    total: z.int().describe('Number of matching models; beyond 20, the most expensive are not listed.'),
  }),
  run: ({ inventory, config, now }: Core, { context_length, expected_output_length, model: name }) => {
    const all = inventory.models()
    const asked = name === undefined ? all : (select([name], all, config().values.MODEL_ALIASES)[0]?.models ?? [])
    const call = { promptTokens: context_length, outputTokens: expected_output_length }
    const at = now()
    const estimates = asked
      .map(model => ({
        model: model.id,
        tier: model.tier,
        cost_usd: expectedCostOf(model.price, call, at) ?? null,
      }))
      .sort((a, b) => (a.cost_usd ?? Infinity) - (b.cost_usd ?? Infinity) || (a.model < b.model ? -1 : 1))
    return { estimates: estimates.slice(0, maxShown), total: estimates.length }
  },
})
