import { z } from 'zod'
import type { Core } from '../core.ts'
import { operation } from './operation.ts'

export const clearOpenrouterTracking = operation({
  name: 'clear_openrouter_tracking',
  summary: 'Clears what is known about OpenRouter’s models and fetches the list again.',
  effect: 'write',
  access: 'admin',
  openWorld: true,
  needs: 'openrouter',
  input: z.strictObject({}),
  output: z.object({ state: z.enum(['unknown', 'up', 'down']), reason: z.string().nullable(), models: z.int() }),
  run: async ({ inventory, kindOf }: Core, _input, { signal }) => {
    const providers = inventory.providers().filter(({ name }) => kindOf(name) === 'openrouter')
    await Promise.all(providers.map(provider => inventory.refetch(provider, signal)))
    const down = providers.map(provider => provider.health()).find(({ state }) => state !== 'up')
    return {
      state: down?.state ?? 'up',
      reason: down?.reason ?? null,
      models: providers.reduce((sum, provider) => sum + provider.models().length, 0),
    }
  },
})
