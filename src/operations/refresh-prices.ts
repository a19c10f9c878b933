import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'

export const refreshPrices = operation({
  name: 'refresh_prices',
  summary: 'Read the models and prices of all servers again now, instead of waiting for the next regular reading.',
  effect: 'write',
  access: 'admin',
  openWorld: true,
  input: z.strictObject({}),
  output: z.object({
    prices: z.array(
      z.object({ source: z.string(), models: z.int(), oldest: z.string().describe('When the oldest was read.') }),
    ),
    unpriced_models: z.int().describe('Models on other machines without a known price.'),
  }),
  run: async ({ inventory }: Core, _, { signal }) => {
    await Promise.all(inventory.providers().map(provider => inventory.refetch(provider, signal)))
    const models = inventory.models()
    const bySource = Map.groupBy(
      models.flatMap(({ priceOrigin }) => priceOrigin ?? []),
      ({ source }) => source,
    )
    return {
      prices: [...bySource].map(([source, origins]) => ({
        source,
        models: origins.length,
        oldest: new Date(Math.min(...origins.map(({ at }) => at))).toISOString(),
      })),
      unpriced_models: models.filter(({ price }) => price === undefined).length,
    }
  },
})
